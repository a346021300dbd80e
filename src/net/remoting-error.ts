/** No answer in time. What the peer did with the request is unknown. */
export class TimeoutError extends Error {
  override name = 'TimeoutError'
}

/** No connection, or it broke before the answer: then what the peer did with the request is unknown. */
export class ConnectionError extends Error {
  override name = 'ConnectionError'
}
