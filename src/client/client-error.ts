/**
 * The caller asked for something that cannot be: a message no broker would take, a topic nobody
 * serves, a closed client. What brokers answer is a ResponseError, what the network does a
 * ConnectionError or TimeoutError.
 */
export class ClientError extends Error {
  override name = 'ClientError'
}
