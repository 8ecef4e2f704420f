import CShims
import VDSQ
import VDSQStreams

/// Reads the arguments, classifies standard input line by line, and reports failures by exit codes.
func run() throws(VDSQError) {
  let arguments = try Arguments(try commandArguments())
  // First of all, so that from here on only the used parts of the program become resident.
  ProcessMemory.releaseCode(piece: 8192)
  let classifier = try classifier(arguments)
  let stream = try ClassificationStream(
    classifier: classifier, options: arguments.stream, output: OutputBuffer(descriptor: 1))
  try TextReader(LineReader(descriptor: 0, name: "standard input")).forEach(
    { (text, line) throws(VDSQError) in try stream.add(text, source: line.number, cut: line.cut) },
    pause: { () throws(VDSQError) in try stream.flush() })
  if arguments.statistics { report(stream.counts) }
}

func classifier(_ arguments: Arguments) throws(VDSQError) -> TextClassifier {
  let model = try Model(path: arguments.model)
  guard let adapter = arguments.adapter else {
    return try TextClassifier(model: model, labels: arguments.labels, options: arguments.classifier)
  }
  return try TextClassifier(model: model, adapterFile: adapter, options: arguments.classifier)
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
  out.write("vdsq-run: \(Arguments.option(of: error))\(error.message)\n")
  try? out.flush()
  exit(error.category.rawValue)
}
