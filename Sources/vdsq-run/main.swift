import CShims
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// Reads the arguments, classifies standard input line by line, and tells failures by exit codes.
func run() throws(VDSQError) {
  let arguments = try Arguments(try commandArguments())
  var options = TextEncoder.Options()
  options.threads = arguments.threads
  options.maximumTokens = arguments.maximumTokens
  options.policy = arguments.policy
  let model = try Container(
    path: arguments.model, kind: .model,
    decoding: arguments.policy == .stream ? .allButLayers : .everything)
  var adapter: Adapter?
  let encoder: TextEncoder
  let labels: LabelSet
  let follower = arguments.adapter.map { AdapterFollower(path: $0, model: model) }
  if let read = try follower?.changed() {
    encoder = try read.encoder(model, options: options)
    (adapter, labels) = (read, read.labels)
  } else {
    encoder = try TextEncoder(model, options: options)
    labels = try LabelSet(arguments.labels, encoder: encoder, template: arguments.template)
  }
  let stream = ClassificationStream(
    encoder: encoder,
    classifier: try Classifier(labels: labels, adapter: adapter, kernels: encoder.kernels),
    template: arguments.template, options: arguments.stream,
    output: OutputBuffer(descriptor: 1), follower: follower)
  ProcessMemory.releaseCode()
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
