import ArgumentParser
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQMeasurement

extension Converter.Weights: ExpressibleByArgument {}

struct Convert: Command {
  static let configuration = CommandConfiguration(
    abstract: "Converts a model's checkpoint to one .vdsq file.",
    discussion: """
      Reads a Hugging Face folder, that is config.json, tokenizer.json, the weights in safetensors or \
      pytorch_model.bin (f64, f32, f16 or bf16; in one file or several) and, \
      where there is one, a sentence-transformers folder's pooling; or a GGUF file (F32, F16, BF16, Q8_0, \
      Q4_0, Q4_K, Q6_K; llama, qwen2, qwen3, gpt2, bert). Supported architectures: bert, \
      distilbert, roberta, xlm-roberta, camembert, electra; gpt2, llama, mistral, qwen2, qwen3, \
      gpt_neox. Models with an LM head get their vocabulary's bases, for which OpenBLAS is needed \
      (--no-bases leaves them out).
      """)

  @Argument(help: "The model's folder, or its GGUF file.")
  var folder: String

  @Option(name: .shortAndLong, help: "The file to write.")
  var output: String

  @Option(help: "How weights are stored: int8 (a scale a row), fp16 or fp32.")
  var weights: Converter.Weights = .int8

  @Flag(help: "Store the vocabulary in two bits a dimension too, for vdsq logits --approx.")
  var coarse = false

  @Flag(inversion: .prefixedNo, help: "Store the vocabulary's bases, where there is an LM head.")
  var bases = true

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(name: .shortAndLong, help: "No progress, no summary.")
  var quiet = false

  func execute() throws(VDSQError) {
    let start = Timing.now()
    var options = Converter.Options(weights: weights, coarse: coarse)
    if !bases { options.bases = nil }
    let converter = try Converter(folder: folder, options: options)
    let bar = ProgressBar("converting", quiet: quiet)
    let progress = Progress(total: converter.totalBytes) { bar.show($0.done, of: $0.total) }
    defer { bar.end() }
    let summary = try converter.write(to: output, replace: force, progress: progress)
    bar.end()
    if !quiet { report(summary, seconds: Timing.now() - start) }
  }

  private func report(_ summary: Converter.Summary, seconds: Double) {
    let share = Double(summary.fileBytes) / Double(max(1, summary.checkpointBytes)) * 100
    print(
      "\(output): \(mebibytes(summary.fileBytes)), \(fixed(share, 1))% of the checkpoint's "
        + "\(mebibytes(summary.checkpointBytes))")
    let quantized = summary.tensors.filter { $0.element != .float32 && $0.element != .bits2 }
    if let worst = quantized.min(by: { $0.error.cosine < $1.error.cosine }) {
      print(
        "\(quantized.count) tensors quantized; the least faithful is \(worst.name), cosine "
          + fixed(Double(worst.error.cosine), 6))
    }
    if let bases = summary.bases {
      print(
        "vocabulary bases of \(bases.rows) tokens: condition number \(significant(bases.condition)), "
          + "rank \(bases.rank) of \(bases.columns)")
    }
    if !summary.unused.isEmpty {
      print(
        "left out, as the model has no use for them: \(summary.unused.joined(separator: ", "))")
    }
    let peak = ProcessMemory.peakResidentBytes().map { ", peak RSS \(mebibytes($0))" } ?? ""
    print("\(fixed(seconds, 2)) s\(peak)")
  }
}
