import ArgumentParser
import VDSQ
import VDSQCheckpoints
import VDSQConversion
import VDSQFiles
import VDSQMeasurement
import VDSQReports
import VDSQSemantics
import VDSQStreams

struct Generate: Command {
  static let configuration = CommandConfiguration(
    abstract: "Continues prompts with a language model.",
    discussion: """
      Writes the text behind PROMPT as it comes. Without PROMPT, or with -, each line of standard \
      input is a prompt, and its text a line (tabs, line ends and backslashes are escaped), or a \
      JSON object. The likeliest token is taken unless --temperature is above 0.
      """)

  @Argument(help: "The .vdsq file of a causal language model.", completion: .file())
  var model: String

  @Argument(help: "The prompt; - or none for lines of standard input.")
  var prompt: String?

  @Option(help: "The maximum number of tokens to generate for a prompt.")
  var maxTokens = 256

  @Option(
    help: """
      The maximum number of tokens of a prompt and its text, for which keys and values have room. \
      The default is what PROMPT and --max-tokens need, or for lines the model's longest sequence, \
      but at most \(TextEncoder.defaultLongest).
      """)
  var context: Int?

  @Flag(help: "Prompts are messages of a user: write them as the model's chat template does.")
  var chat = false

  @Option(help: "With --chat: the message of the system before that of the user.")
  var system: String?

  @OptionGroup var sampling: SamplingArguments

  @Option(help: "A text that ends the generated text, which is without it; several are possible.")
  var stop: [String] = []

  @Option(
    help: "Generate one of these texts: a,b,c; a comma within a text is written \\,.")
  var choices: String?

  @Option(help: "Generate a text that this regular expression matches as a whole.")
  var regex: String?

  @Option(
    help: "Generate JSON that this file's JSON schema allows.", completion: .file())
  var jsonSchema: String?

  @Flag(help: "Write JSON: text, finish, tokens, prompt_tokens, logprob.")
  var json = false

  @OptionGroup var input: InputOptions
  @OptionGroup var running: RunningOptions

  @Flag(help: "Write tokens per second to standard error at the end.")
  var stats = false

  @Flag(name: .shortAndLong, help: "No warnings.")
  var quiet = false

  private var isStream: Bool { prompt == nil || prompt == "-" }

  var files: CommandFiles {
    CommandFiles(inputs: [model, jsonSchema], readsStandardInput: isStream)
  }

  func validate() throws {
    guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be at least 1") }
    guard [choices, regex, jsonSchema].compactMap({ $0 }).count < 2 else {
      throw ValidationError("--choices, --regex and --json-schema exclude each other")
    }
    guard chat || system == nil else { throw ValidationError("--system goes with --chat") }
    guard !stop.contains("") else { throw ValidationError("--stop must not be empty") }
    guard isStream || (input.field == nil && !input.isTagged && !input.strict) else {
      throw ValidationError("PROMPT is one prompt; leave options of records out")
    }
  }

  /// What the generated text must be; nil for anything.
  private func constraint() throws(VDSQError) -> TextConstraint? {
    if let choices { return try TextConstraint(choices: Self.list(choices)) }
    if let regex { return try TextConstraint(pattern: regex) }
    return try jsonSchema.map { (path) throws(VDSQError) in
      let file = try TextFile(path: path, limit: 1 << 20)
      let schema = try JSON(parsing: file.bytes, context: path)
      return try TextConstraint(pattern: try JSONSchemaPattern(schema, path: path).pattern)
    }
  }

  /// The parts of a list between commas; a backslash before a comma or a backslash makes it a part.
  private static func list(_ text: String) -> [String] {
    var parts = [""]
    var isEscaped = false
    for scalar in text.unicodeScalars {
      if !isEscaped, scalar == "\\" {
        isEscaped = true
        continue
      }
      if scalar == ",", !isEscaped {
        parts.append("")
      } else {
        if isEscaped, scalar != ",", scalar != "\\" { parts[parts.count - 1] += "\\" }
        parts[parts.count - 1].unicodeScalars.append(scalar)
      }
      isEscaped = false
    }
    if isEscaped { parts[parts.count - 1] += "\\" }
    return parts
  }

  func execute() throws(VDSQError) {
    let records = try input.records(json: json, quiet: quiet, answer: GenerationStream.members)
    var run = try running.run(quiet: quiet)
    run.maximumTokens = context
    if !isStream, context == nil, let prompt {
      run.maximumTokens = try TextGenerator.room(
        for: Array(prompt.utf8), isChat: chat, system: system, and: maxTokens, of: model)
    }
    let generator = try TextGenerator(model: try Model(path: model), options: run)
    var options = GenerationOptions()
    (options.maximumTokens, options.sampling, options.stops) = (maxTokens, sampling.options, stop)
    options.constraint = try constraint()
    let stream = try GenerationStream(
      records, generator: generator, options: options, isJSON: json, isChat: chat,
      system: system)
    StreamSignals.watch(reloads: false)
    let start = Timing.now()
    if isStream { try stream.run() } else { try stream.answer(prompt: Array(prompt!.utf8)) }
    if stats {
      let seconds = Timing.now() - start
      StandardError.write(
        "vdsq: \(counted(stream.tokens, "token")) in \(fixed(seconds, 2)) s, "
          + "\(fixed(Double(stream.tokens) / max(seconds, 1e-9), 1)) tokens/s\n")
    }
    if isStream { try records.end(maximumTokens: generator.maximumTokens) }
  }
}
