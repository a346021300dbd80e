import { MqVersion } from './mq-version.ts'

const names = new Map<number, string>(
  Object.entries(MqVersion).map(([name, ordinal]) => [ordinal, name]),
)

/** `V5_3_3` for its ordinal. One that is newer than we know is HIGHER_VERSION, as Apache's tools say. */
export function versionText(ordinal: number): string {
  return names.get(ordinal) ?? 'HIGHER_VERSION'
}
