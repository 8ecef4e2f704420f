import ArgumentParser
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQStreams

struct Embed: Command {
  static let configuration = CommandConfiguration(
    abstract: "Computes vectors of the texts on standard input.",
    discussion: """
      Writes a NumPy file with --output, or JSON Lines to standard output: {"embedding": [...]}, \
      or {"tokens": [...]} with --tokens.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Option(
    name: .shortAndLong, help: "A .npy file to write: float32, one row per text.",
    completion: .file())
  var output: String?

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(help: "Write token ids instead of vectors.")
  var tokens = false

  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(help: "Write counts, time and peak memory to standard error at the end.")
  var stats = false

  var files: CommandFiles {
    CommandFiles(inputs: [model], outputs: [output], readsStandardInput: true)
  }

  func validate() throws {
    guard !tokens || output == nil else {
      throw ValidationError("--tokens writes JSON Lines to standard output; leave --output out")
    }
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let encoder = try encoding.encoder(model)
    let lines = OutputBuffer(descriptor: 1)
    let json = JSONWriter(lines)
    var matrix: NPYWriter?
    if let output {
      matrix = try NPYWriter(path: output, columns: encoder.dimensions, replace: force)
    }
    var count = 0
    func flush() throws(VDSQError) {
      if tokens { return try lines.flush() }
      guard encoder.count > 0 else { return }
      try encoder.encode { (_, vector) throws(VDSQError) in
        let values = UnsafeBufferPointer(start: vector, count: encoder.dimensions)
        if let matrix {
          try matrix.append(values)
        } else {
          json.object { json.member("embedding", Array(values)) }
          lines.write("\n")
        }
      }
      if output == nil { try lines.flush() }
    }
    try input.forEachText(
      { (text, line) throws(VDSQError) in
        count += 1
        if tokens {
          json.object { json.member("tokens", encoder.tokens(of: text)) }
          return lines.write("\n")
        }
        if !encoder.hasRoom { try flush() }
        encoder.add(text)
      }, pause: flush)
    try matrix?.finish()
    if stats {
      let peak = ProcessMemory.peakResidentBytes().map { ", peak RSS \(mebibytes($0))" } ?? ""
      StandardError.write("\(count) texts, \(fixed(Timing.now() - start, 3)) s\(peak)\n")
    }
  }
}
