/** Ends by `process.exit` on SIGINT and SIGTERM, so that servers and lock do not outlive a broken-off run. */
export function endOnSignals(): void {
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
}
