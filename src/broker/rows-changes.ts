import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import type { RowsChange } from '../store/topic-rows.ts'

/** What main has told this thread of topics since the last call, oldest first; for threads that block. */
export function rowsChangesOf(port: MessagePort): RowsChange[] {
  const changes: RowsChange[] = []
  for (;;) {
    const received = receiveMessageOnPort(port)
    if (received === undefined) return changes
    changes.push(received.message as RowsChange)
  }
}
