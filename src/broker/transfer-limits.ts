import { totalmem } from 'node:os'
import type { BrokerConfig } from '../config/broker.ts'
import type { TransferLimits } from '../store/pull-reader.ts'

/** Bytes behind the end of the log that count as recent (accessMessageInMemoryMaxRatio). */
export function hotBytes(config: BrokerConfig): number {
  return Math.floor((totalmem() * config.accessMessageInMemoryMaxRatio) / 100)
}

/** How much one answer to a pull may hold. */
export function transferLimits(config: BrokerConfig): TransferLimits {
  return {
    hot: {
      bytes: config.maxTransferBytesOnMessageInMemory,
      count: config.maxTransferCountOnMessageInMemory,
    },
    cold: {
      bytes: config.maxTransferBytesOnMessageInDisk,
      count: config.maxTransferCountOnMessageInDisk,
    },
    hotBytes: hotBytes(config),
  }
}
