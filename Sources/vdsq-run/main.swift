import CShims
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQStreams

/// Reads the arguments, classifies standard input line by line, and tells failures by exit codes.
func run() throws(VDSQError) {
  let arguments = try Arguments(try commandArguments())
  // First of all: from here on only what is used of the program becomes resident.
  ProcessMemory.releaseCode(piece: 8192)
  var options = TextEncoder.Options()
  options.threads = arguments.threads
  options.maximumTokens = arguments.maximumTokens
  options.policy = arguments.policy ?? .resident
  let follower = try arguments.adapter.map { (path) throws(VDSQError) in
    try AdapterFollower(path: path, modelPath: arguments.model)
  }
  let adapter = try follower?.changed()
  if let adapter { options.intermediateFeatures = adapter.intermediateFeatures }
  if let budget = arguments.budget {
    options.policy = try Footprint.policy(
      within: budget, of: arguments.model, options: options,
      among: MemoryPolicy.among(arguments.policy), more: 2 * (adapter?.bytes ?? 0))
  }
  let model = try Container(
    path: arguments.model, kind: .model, decoding: options.policy.decoding)
  let encoder: TextEncoder
  let labels: LabelSet
  if let adapter {
    encoder = try adapter.encoder(model, options: options)
    labels = adapter.labels
  } else {
    encoder = try TextEncoder(model, options: options)
    labels = try LabelSet(arguments.labels, encoder: encoder, template: arguments.template)
  }
  let stream = ClassificationStream(
    encoder: encoder,
    classifier: try Classifier(labels: labels, adapter: adapter, kernels: encoder.kernels),
    template: arguments.template, options: arguments.stream,
    output: OutputBuffer(descriptor: 1), follower: follower)
  model.release()
  let reader = LineReader(descriptor: 0, name: "standard input")
  while let line = try reader.next() {
    try stream.add(line.bytes, source: line.number, cut: line.cut)
    if !reader.hasBufferedLine { try stream.flush() }
  }
  try stream.flush()
  if arguments.statistics { report(stream.counts) }
}

func report(_ counts: ClassificationStream.Counts) {
  let out = OutputBuffer(descriptor: 2)
  out.write(
    "\(counts.texts) texts, \(counts.tokens) tokens, \(counts.truncated) cut, "
      + "\(counts.replaced) with invalid UTF-8, peak RSS ")
  out.write(Float(ProcessMemory.peakResidentBytes() ?? 0) / 1_048_576, decimals: 1)
  out.write(" MiB\n")
  try? out.flush()
}

do throws(VDSQError) {
  try run()
} catch {
  let out = OutputBuffer(descriptor: 2)
  out.write("vdsq-run: \(error.message)\n")
  try? out.flush()
  exit(error.category.rawValue)
}
