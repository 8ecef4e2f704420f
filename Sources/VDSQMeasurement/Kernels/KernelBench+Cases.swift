extension KernelBench {
  /// The name of a kernel on the command line and its setup, for each measured shape.
  package struct Setup {
    /// The kernel's name on the command line.
    package let kernel: String
    /// `ROWSxCOLUMNS`.
    package let shape: String
    /// Allocates and fills the operands of the kernel.
    package let make: (KernelBench) -> KernelCase
  }

  /// Vocabularies by hidden sizes: MiniLM and BERT, GPT-2, Qwen2.5 0.5B, Llama 3.2 1B.
  static let vocabularies = [(30_522, 384), (50_257, 768), (151_936, 896), (128_256, 2_048)]

  /// Everything that `vdsq bench --kernels` measures, in order. Cases are set up one at a time,
  /// because the largest take half a gigabyte.
  package static var setups: [Setup] {
    var all: [Setup] = []
    func add(
      _ kernel: String, _ rows: Int, _ columns: Int, _ make: @escaping (KernelBench) -> KernelCase
    ) {
      all.append(Setup(kernel: kernel, shape: "\(rows)x\(columns)", make: make))
    }
    for (rows, columns) in vocabularies {
      add("cosine-topk", rows, columns) { $0.topK(rows: rows, columns: columns, batch: 1) }
      add("cosine-topk-batch", rows, columns) { $0.topK(rows: rows, columns: columns, batch: 8) }
      add("coarse-topk", rows, columns) { $0.coarseTopK(rows: rows, columns: columns) }
    }
    // MiniLM's linear layers.
    for (outputs, inputs) in [(1152, 384), (384, 384), (1536, 384), (384, 1536)] {
      for batch in [8, 32, 128] {
        add("gemm-int8", outputs, inputs) {
          $0.linear(.int8, outputs: outputs, inputs: inputs, batch: batch)
        }
      }
    }
    for batch in [1, 8, 32] {
      for (outputs, inputs) in [(1536, 384), (384, 1536)] {
        add("gemm-int4", outputs, inputs) {
          $0.linear(.int4, outputs: outputs, inputs: inputs, batch: batch)
        }
      }
    }
    add("gemm-int8-gelu", 1536, 384) {
      $0.linear(.int8, outputs: 1536, inputs: 384, batch: 32, activation: .gelu)
    }
    for batch in [1, 32] {
      add("gemm-fp16", 1536, 384) { $0.linear(.float16, outputs: 1536, inputs: 384, batch: batch) }
      add("gemm-fp32", 1536, 384) { $0.linear(.float32, outputs: 1536, inputs: 384, batch: batch) }
    }
    for (rows, columns) in [(30_522, 384), (151_936, 896)] {
      add("gemv-fp16", rows, columns) { $0.dotRows(half: true, rows: rows, columns: columns) }
      add("gemv-fp32", rows, columns) { $0.dotRows(half: false, rows: rows, columns: columns) }
    }
    for length in [8, 32, 128, 256] {
      add("attention", length, 32) {
        $0.attention(.float, length: length, heads: 12, headSize: 32)
      }
      add("attention-int16", length, 32) {
        $0.attention(.int16, length: length, heads: 12, headSize: 32)
      }
    }
    for name in elementwiseNames {
      add(name, 128, 384) { $0.elementwise(name, rows: 128, columns: 384) }
    }
    return all
  }
}
