import ArgumentParser
import Glibc
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQMeasurement

struct Verify: Command {
  static let configuration = CommandConfiguration(
    abstract: "Compares a converted model with its checkpoint on sample texts.",
    discussion: """
      The checkpoint is converted to float32 in a temporary file and multiplied in float32. Both \
      models read the same sample texts, or --texts. Prints the cosines of their states and, for \
      models with an LM head, how often the likeliest tokens agree. Checks all checksums of the \
      model first, and whether it was made from these files. With --minimum, a lower mean cosine \
      is an error (exit code 65).
      """)

  @Argument(help: "The .vdsq file.")
  var model: String

  @Option(help: "The checkpoint: a model's folder, a GGUF file, or llama2.c's .bin.")
  var against: String

  @Option(help: "A file with one text per line.")
  var texts: String?

  @Option(help: "The smallest acceptable mean cosine.")
  var minimum: Double?

  @OptionGroup var encoding: EncoderOptions

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  func validate() throws {
    guard minimum.map({ $0 >= -1 && $0 <= 1 }) ?? true else {
      throw ValidationError("--minimum must be from -1 to 1")
    }
  }

  func execute() throws(VDSQError) {
    let container = try Container(path: model, kind: .model)
    try container.verify()
    let samples =
      try texts.map { (path) throws(VDSQError) in try Self.lines(path) }
      ?? SampleTexts.all
    let isSource = try Provenance.matches(container, try Checkpoint(path: against))
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    let temporary = "\(folder)/vdsq-verify-\(getpid()).vdsq"
    defer { unlink(temporary) }
    var options = Converter.Options(weights: .fp32)
    options.bases = nil
    let converter = try Converter(folder: against, options: options)
    let bar = ProgressBar("verifying", quiet: quiet)
    defer { bar.end() }
    // Conversion is the first half of the progress, comparison the second.
    let progress = Progress(total: converter.totalBytes) { bar.show($0.done, of: 2 * $0.total) }
    _ = try converter.write(to: temporary, replace: true, progress: progress)
    let encoder = try encoding.open(model, more: 4 * container.file.bytes.count).encoder()
    var high = encoding
    high.precision = .high
    let reference = try high.encoder(temporary)
    // The name is removed now, so that nothing is left behind whatever happens.
    unlink(temporary)
    let fidelity = try Fidelity(model: encoder, reference: reference, texts: samples) {
      bar.show(samples.count + $0, of: 2 * samples.count)
    }
    bar.end()
    if json { printJSON(fidelity, isSource) } else { print(fidelity, isSource) }
    if let minimum, fidelity.mean < minimum {
      throw .badInput(
        "\(model): the mean cosine \(fixed(fidelity.mean, 5)) is below --minimum \(minimum)")
    }
  }

  private static func lines(_ path: String) throws(VDSQError) -> [String] {
    let lines = try InputFile.lines(of: path).map { String(decoding: $0, as: UTF8.self) }
    guard !lines.isEmpty else { throw .badInput("\(path): there are no texts") }
    return lines
  }

  private func print(_ fidelity: Fidelity, _ isSource: Bool) {
    Swift.print("checksums    all match")
    Swift.print(
      "made from    " + (isSource ? "these files" : "other files than these (their SHA-256 differ)")
    )
    Swift.print(
      "tokens       " + (fidelity.sameTokens ? "the same" : "not the same") + " of all "
        + "\(fidelity.texts.count) texts")
    let least = fidelity.least!
    Swift.print("cosine       mean \(fixed(fidelity.mean, 5)), least \(fixed(least.cosine, 5))")
    if let share = fidelity.sameTokenShare, let overlap = fidelity.overlap {
      Swift.print(
        "likeliest    the same token for \(fixed(share * 100, 1))% of the texts; of the ten "
          + "likeliest \(fixed(overlap * 100, 1))% are shared")
    }
    Swift.print("\n\(rightAligned("cosine", 8))  least faithful texts")
    for text in fidelity.texts.sorted(by: { $0.cosine < $1.cosine }).prefix(5) {
      Swift.print("\(rightAligned(fixed(text.cosine, 5), 8))  \(text.text.prefix(80))")
    }
  }

  private func printJSON(_ fidelity: Fidelity, _ isSource: Bool) {
    func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "null" }
    let texts = fidelity.texts.map {
      "{\"text\": \(Provenance.quoted($0.text)), \"cosine\": \($0.cosine), "
        + "\"same_token\": \($0.sameToken.map { "\($0)" } ?? "null"), \"top10_overlap\": "
        + "\(number($0.overlap))}"
    }
    Swift.print(
      """
      {"model": \(Provenance.quoted(model)), "against": \(Provenance.quoted(against)), \
      "verified": true, "made_from_these_files": \(isSource), "same_tokens": \(fidelity.sameTokens), \
      "cosine_mean": \(fidelity.mean), "cosine_min": \(fidelity.least!.cosine), \
      "same_likeliest_token": \(number(fidelity.sameTokenShare)), \
      "top10_overlap": \(number(fidelity.overlap)), "texts": [\(texts.joined(separator: ", "))]}
      """)
  }
}
