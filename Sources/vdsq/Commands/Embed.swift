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

  @Flag(name: .shortAndLong, help: "No warnings.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [model], outputs: [output], readsStandardInput: true)
  }

  func validate() throws {
    guard !tokens || output == nil else {
      throw ValidationError("--tokens writes JSON Lines to standard output; leave --output out")
    }
    guard output == nil || !input.isTagged else {
      throw ValidationError("--echo and --pass go into JSON Lines; leave --output out")
    }
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let records = try input.records(
      json: output == nil, quiet: quiet, answer: [tokens ? "tokens" : "embedding"])
    let encoder = try encoding.encoder(model, onCut: EncoderOptions.warnings(quiet))
    let (lines, json) = (records.output, records.json)
    var matrix: NPYWriter?
    if let output {
      matrix = try NPYWriter(path: output, columns: encoder.dimensions, replace: force)
    }
    func flush() throws(VDSQError) {
      if tokens { return try lines.flush() }
      guard encoder.count > 0 else { return }
      try encoder.encode { (index, vector) throws(VDSQError) in
        let values = UnsafeBufferPointer(start: vector, count: encoder.dimensions)
        if let matrix {
          try matrix.append(values)
        } else {
          json.object {
            records.tags.writeMembers(of: index, to: json)
            json.member("embedding", Array(values))
          }
          lines.write("\n")
          try lines.flushIfLong()
        }
      }
      records.tags.removeAll()
      if output == nil { try lines.flush() }
    }
    // Rows must be those of the records.
    let unknown = [Float](repeating: .nan, count: matrix == nil ? 0 : encoder.dimensions)
    // A file of vectors is written completely or not at all.
    if matrix == nil { StreamSignals.watch(reloads: false) }
    try records.forEach(
      { (record) throws(VDSQError) in
        if tokens {
          let isTruncated = record.isCut || !encoder.fits(record.text)
          if isTruncated { records.counts.truncated += 1 }
          records.tags.add(record)
          json.object {
            records.tags.writeMembers(of: 0, to: json)
            json.member("tokens", encoder.tokens(of: record.text))
          }
          records.tags.removeAll()
          return lines.write("\n")
        }
        if !encoder.hasRoom || records.tags.isLong { try flush() }
        records.tags.add(record)
        if encoder.add(record.text).truncated || record.isCut { records.counts.truncated += 1 }
      }, pause: flush,
      failed: { () throws(VDSQError) in
        try matrix.map { (matrix) throws(VDSQError) in
          try unknown.withUnsafeBufferPointer { (row) throws(VDSQError) in try matrix.append(row) }
        }
      })
    try matrix?.finish()
    let count = records.counts.texts
    if stats {
      let peak = ProcessMemory.peakResidentBytes().map { ", peak RSS \(mebibytes($0))" } ?? ""
      StandardError.write("\(counted(count, "text")), \(fixed(Timing.now() - start, 3)) s\(peak)\n")
    }
    try records.end(maximumTokens: encoder.maximumTokens)
  }
}
