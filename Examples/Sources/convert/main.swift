// Converts a checkpoint to a .vdsq file with int8 weights, in groups of 32 where that pays.
//   swift run convert all-MiniLM-L6-v2 minilm.vdsq
import VDSQConversion

guard CommandLine.arguments.count == 3 else { fatalError("usage: convert CHECKPOINT MODEL") }
var options = Converter.Options(weights: .int8)
options.groups = 32
let converter = try Converter(folder: CommandLine.arguments[1], options: options)
let summary = try converter.write(
  to: CommandLine.arguments[2], replace: true,
  progress: Progress(total: converter.totalBytes) { _ in })
print(summary.fileBytes, "of", summary.checkpointBytes, "bytes")
