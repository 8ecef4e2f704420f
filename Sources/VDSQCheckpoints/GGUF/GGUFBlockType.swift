/// A block type of GGUF: how ggml packs a fixed number of weights into integers that share scales.
///
/// A new type is one row in `all`, one function that decodes a block, and one row in
/// `Tools/reference/make_gguf_blocks.py`, which records what the reference implementation decodes.
/// Reading, sizes, error messages and `vdsq convert --help` follow from the row.
package struct GGUFBlockType: Sendable {
  /// The number that stands for the type in a GGUF file (`enum ggml_type` in ggml.h).
  package let id: UInt32
  /// ggml's name, such as `Q4_K`.
  package let name: String
  /// Weights in a block; rows are whole numbers of blocks.
  package let elements: Int
  /// Bytes in a block.
  package let bytes: Int
  /// Decodes one block: reads `bytes` bytes and writes `elements` floats.
  let decode: @Sendable (UnsafeRawBufferPointer, UnsafeMutablePointer<Float>) -> Void

  /// Every type that this program reads. The layouts are those of ggml-common.h.
  package static let all: [GGUFBlockType] = [
    .init(id: 2, name: "Q4_0", elements: 32, bytes: 18, decode: GGUFBlocks.q4_0),
    .init(id: 3, name: "Q4_1", elements: 32, bytes: 20, decode: GGUFBlocks.q4_1),
    .init(id: 6, name: "Q5_0", elements: 32, bytes: 22, decode: GGUFBlocks.q5_0),
    .init(id: 7, name: "Q5_1", elements: 32, bytes: 24, decode: GGUFBlocks.q5_1),
    .init(id: 8, name: "Q8_0", elements: 32, bytes: 34, decode: GGUFBlocks.q8_0),
    .init(id: 12, name: "Q4_K", elements: 256, bytes: 144, decode: GGUFSuperBlocks.q4_K),
    .init(id: 14, name: "Q6_K", elements: 256, bytes: 210, decode: GGUFSuperBlocks.q6_K),
  ]
}

extension GGUFBlockType: Equatable {
  /// Types are told apart by GGUF's numbers.
  package static func == (a: Self, b: Self) -> Bool { a.id == b.id }
}
