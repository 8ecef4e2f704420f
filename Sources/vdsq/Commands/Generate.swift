import ArgumentParser
import Glibc
import VDSQ
import VDSQCheckpoints
import VDSQConversion
import VDSQFiles
import VDSQFormat
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
  @OptionGroup var steering: SteeringOptions
  @OptionGroup var repair: RepairOptions

  @Flag(help: "Write tokens per second to standard error at the end.")
  var stats = false

  @Option(
    help: """
      Numbers of the keys and values of all tokens: fp32, fp16 or int8, which take a half and a \
      quarter of the memory.
      """, completion: .list(KeyPrecision.allValueStrings))
  var cachePrecision: KeyPrecision = .float32

  @Option(
    help: """
      A file with keys and values: what a prompt shares with the one in FILE is not read again. If \
      there is no such file, that of PROMPT is written.
      """, completion: .file())
  var promptCache: String?

  @Option(
    help: """
      Lines of standard input that are continued together, from 1 to 8: faster in all, with memory \
      for the keys and values of each.
      """)
  var parallel = 1

  @Flag(name: .shortAndLong, help: "No warnings.")
  var quiet = false

  private var isStream: Bool { prompt == nil || prompt == "-" }

  var files: CommandFiles {
    CommandFiles(
      inputs: [model, jsonSchema, promptCache, repair.repair] + steering.files,
      readsStandardInput: isStream)
  }

  func validate() throws {
    guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be at least 1") }
    guard [choices, regex, jsonSchema].compactMap({ $0 }).count < 2 else {
      throw ValidationError("--choices, --regex and --json-schema exclude each other")
    }
    guard (1...8).contains(parallel) else {
      throw ValidationError("--parallel is from 1 to 8")
    }
    guard parallel == 1 || (isStream && promptCache == nil) else {
      throw ValidationError("--parallel goes with lines of standard input, without --prompt-cache")
    }
    guard promptCache == nil || (steering.isEmpty && repair.repair == nil) else {
      throw ValidationError(
        "--prompt-cache has keys of unchanged states; leave --steer and --repair out")
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

  /// Reads the prompt cache.
  ///
  /// - Returns: whether there is one, or must be: lines of standard input write none.
  private func readPromptCache(
    into session: TextGenerator.Session
  ) throws(VDSQError) -> Bool {
    guard let promptCache, isStream || access(promptCache, F_OK) == 0 else { return false }
    let file = try MappedFile(path: promptCache)
    try session.use(promptCache: file.bytes, path: promptCache)
    return true
  }

  func execute() throws(VDSQError) {
    let records = try input.records(json: json, quiet: quiet, answer: GenerationStream.members)
    var run = try running.run(quiet: quiet)
    (run.maximumTokens, run.keyPrecision) = (context, cachePrecision)
    run.steering = try steering.directions()
    run.repair = try repair.read(for: model)
    if !isStream, context == nil, let prompt {
      run.maximumTokens = try TextGenerator.room(
        for: Array(prompt.utf8), isChat: chat, system: system, and: maxTokens, of: model)
    }
    let generator = try TextGenerator(
      model: try Model(path: model), options: run, more: 0, texts: isStream ? parallel : 1)
    var options = GenerationOptions()
    (options.maximumTokens, options.sampling, options.stops) = (maxTokens, sampling.options, stop)
    options.constraint = try constraint()
    let stream = try GenerationStream(
      records, generator: generator, options: options, isJSON: json, isChat: chat,
      system: system)
    let writesCache = try !readPromptCache(into: stream.session)
    StreamSignals.watch(reloads: false)
    let start = Timing.now()
    if isStream { try stream.run() } else { try stream.answer(prompt: Array(prompt!.utf8)) }
    if writesCache, let promptCache, !isStream {
      let file = try AtomicFile(path: promptCache, replace: false)
      try stream.session.promptCache(tokens: stream.promptTokens) { (part) throws(VDSQError) in
        try file.write(part)
      }
      try file.commit()
    }
    if stats {
      let seconds = Timing.now() - start
      StandardError.write(
        "vdsq: \(counted(stream.tokens, "token")) in \(fixed(seconds, 2)) s, "
          + "\(fixed(Double(stream.tokens) / max(seconds, 1e-9), 1)) tokens/s\n")
    }
    if isStream { try records.end(maximumTokens: generator.maximumTokens) }
  }
}
