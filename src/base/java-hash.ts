/** Java's `String.hashCode()`: 31-polynomial over UTF-16 units, wrapping at 32 bits. */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}
