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
    .init(id: 10, name: "Q2_K", elements: 256, bytes: 84, decode: GGUFSuperBlocks.q2_K),
    .init(id: 11, name: "Q3_K", elements: 256, bytes: 110, decode: GGUFSuperBlocks.q3_K),
    .init(id: 12, name: "Q4_K", elements: 256, bytes: 144, decode: GGUFSuperBlocks.q4_K),
    .init(id: 13, name: "Q5_K", elements: 256, bytes: 176, decode: GGUFSuperBlocks.q5_K),
    .init(id: 14, name: "Q6_K", elements: 256, bytes: 210, decode: GGUFSuperBlocks.q6_K),
    .init(id: 15, name: "Q8_K", elements: 256, bytes: 292, decode: GGUFSuperBlocks.q8_K),
    .init(id: 20, name: "IQ4_NL", elements: 32, bytes: 18, decode: GGUFCodebookBlocks.iq4_NL),
    .init(id: 23, name: "IQ4_XS", elements: 256, bytes: 136, decode: GGUFCodebookBlocks.iq4_XS),
    .init(id: 34, name: "TQ1_0", elements: 256, bytes: 54, decode: GGUFTernaryBlocks.tq1_0),
    .init(id: 35, name: "TQ2_0", elements: 256, bytes: 66, decode: GGUFTernaryBlocks.tq2_0),
    .init(id: 39, name: "MXFP4", elements: 32, bytes: 17, decode: GGUFCodebookBlocks.mxfp4),
    .init(id: 40, name: "NVFP4", elements: 64, bytes: 36, decode: GGUFCodebookBlocks.nvfp4),
  ]

  /// The names of other numbers (`enum ggml_type` in ggml.h), for error messages.
  static let unsupported: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    21: "IQ3_S", 22: "IQ2_S", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 29: "IQ1_M",
    31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8",
    38: "IQ4_NL_8_8", 41: "Q1_0",
  ]
}

extension GGUFBlockType: Equatable {
  /// Types are told apart by GGUF's numbers.
  package static func == (a: Self, b: Self) -> Bool { a.id == b.id }
}
