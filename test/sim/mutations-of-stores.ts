import { INDEX_MUTATIONS } from './mutations-index.ts'
import { RECOVERY_MUTATIONS } from './mutations-recovery.ts'
import { RUNNING_MUTATIONS } from './mutations-store.ts'
import type { StoreMutation } from './store/store-mutation.ts'

/** All that whole stores must find out. */
export const STORE_MUTATIONS: readonly StoreMutation[] = [
  ...RUNNING_MUTATIONS,
  ...RECOVERY_MUTATIONS,
  ...INDEX_MUTATIONS,
]
