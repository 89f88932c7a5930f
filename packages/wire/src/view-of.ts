/**
 * A view over the same bytes, for tests and tools. Making one costs some 80 ns, so what sees every packet keeps one:
 * `PacketMemory.view`.
 */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
