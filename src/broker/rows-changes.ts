import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import type { RowsChange } from '../store/topic-rows.ts'
import type { ConfigChanges } from './live-config.ts'

/** Main to a thread that blocks: settings that changed. */
export interface SettingsChange {
  settings: ConfigChanges
}

/**
 * What main has told this thread of topics since the last call, oldest first; for threads that
 * block. What it has told of settings is put into `config`.
 */
export function rowsChangesOf(port: MessagePort, config: object = {}): RowsChange[] {
  const changes: RowsChange[] = []
  for (;;) {
    const received = receiveMessageOnPort(port)
    if (received === undefined) return changes
    const message = received.message as RowsChange | SettingsChange
    if ('settings' in message) Object.assign(config, message.settings)
    else changes.push(message)
  }
}
