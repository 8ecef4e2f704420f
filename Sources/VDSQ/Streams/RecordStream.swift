package import VDSQFormat
package import VDSQStreams

/// The records of an input, what identifies them in the output, and what is told of them: failed
/// records one by one, the others by counts at the end.
///
///     let records = try RecordStream(input, options: options, output: output, program: "vdsq")
///     try records.forEach(
///       { (record) throws(VDSQError) in records.tags.add(record) }, pause: { records.output.flush() })
///     try records.end(maximumTokens: 256)
package final class RecordStream {
  /// How records are read, and what is written of them.
  package struct Options: Sendable {
    /// How texts are read. `isStrict` also ends the stream at the first failed record.
    package var reading = TextReader.Options()
    /// Whether line number and text are written with each answer.
    package var echoes = false
    /// Whether answers are JSON objects; otherwise they are tab-separated.
    package var json = false
    /// Whether counts of texts that were cut or repaired are left out.
    package var isQuiet = false

    /// Lines are texts, and answers are tab-separated.
    package init() {}

    /// Checks that fields to pass on are there, and have names of their own in JSON.
    ///
    /// - Parameter answer: the names of an answer's members.
    /// - Throws: `usage` if not.
    package func check(answer: [StaticString]) throws(VDSQError) {
      guard reading.pass.isEmpty || reading.field != nil else {
        throw .usage("fields are those of JSON records; name the one with the text", .passedFields)
      }
      guard reading.secondField == nil || reading.field != nil else {
        throw .usage(
          "the second text is in a field of JSON records; name that of the first", .texts)
      }
      guard !reading.isPair || (reading.field == nil) == (reading.secondField == nil) else {
        throw .usage("a pair has two fields; name that of the second text", .texts)
      }
      guard json else { return }
      let echoed: [StaticString] =
        echoes ? ["line", "text", "second", "error"] : ["line", "error"]
      for path in reading.pass {
        for name in answer + echoed
        where name.withUTF8Buffer({ path.name.utf8.elementsEqual($0) }) {
          throw .usage(
            "answers have a member \(name); give the field another name: x=\(name)", .passedFields)
        }
      }
    }
  }

  /// The counts of processed records.
  package struct Counts: Sendable {
    /// The number of texts, without failed records.
    package var texts = 0
    /// The number of their tokens.
    package var tokens = 0
    /// Texts that were truncated to the model's longest sequence.
    package var truncated = 0
    /// Texts in which invalid UTF-8 was replaced.
    package var replaced = 0
    /// Texts whose label was withheld.
    package var abstained = 0
    /// Texts with nothing to read, which were left out.
    package var skipped = 0
    /// Records that could not be read.
    package var failed = 0
    /// The number of the last line that was read.
    package var lastLine = 0
  }

  /// The counts so far. Whoever answers the texts counts tokens, truncated and withheld ones.
  package var counts = Counts()
  /// What identifies the records of the current batch.
  package let tags: RecordTags
  /// The destination of the answers.
  package let output: OutputBuffer
  /// The writer of JSON answers.
  package let json: JSONWriter
  private let reader: TextReader
  private let options: Options
  private let program: StaticString
  private let errors = OutputBuffer(descriptor: 2)

  /// - Parameters:
  ///   - program: the name of the program in what is told.
  package init(
    _ lines: LineReader, options: Options, output: OutputBuffer, program: StaticString
  ) {
    self.options = options
    self.output = output
    self.program = program
    json = JSONWriter(output)
    tags = RecordTags(echoes: options.echoes, isJSON: options.json)
    reader = TextReader(lines, options: options.reading)
  }

  /// Reads all records.
  ///
  /// - Parameters:
  ///   - body: called with each text.
  ///   - pause: answers the texts of the batch. Called before waiting for input, before a failed
  ///     record is told, and at the end.
  ///   - failed: called for each failed record, behind the pause.
  /// - Throws: `badInput`, naming the line, for the first failed record if the options are strict;
  ///   `missingInput` if reading fails; what the closures throw.
  package func forEach(
    _ body: (TextRecord) throws(VDSQError) -> Void, pause: () throws(VDSQError) -> Void,
    failed: () throws(VDSQError) -> Void = {}
  ) throws(VDSQError) {
    try reader.forEach(
      { (record) throws(VDSQError) in
        counts.texts += 1
        counts.lastLine = record.line
        if record.isReplaced { counts.replaced += 1 }
        try body(record)
      },
      failed: { (failure) throws(VDSQError) in
        counts.lastLine = failure.line
        try pause()
        try fail(failure.line, failure.error, failure.fields)
        try failed()
      }, pause: pause)
  }

  /// Counts the text that was read last as one that is left out, because it has nothing to read.
  package func skip(_ record: TextRecord) {
    counts.texts -= 1
    if record.isReplaced { counts.replaced -= 1 }
    counts.skipped += 1
  }

  /// Tells of a failed record: an object among JSON answers, otherwise a line on standard error.
  ///
  /// - Throws: the error, with its line, if the options are strict; `internalFault` if the output
  ///   cannot be written.
  package func fail(
    _ line: Int, _ error: VDSQError, _ fields: RecordFields? = nil
  ) throws(VDSQError) {
    counts.failed += 1
    if options.json {
      json.object {
        json.member("line", line)
        if let fields { tags.writeFields(fields, to: json) }
        json.member("error", error.message)
      }
      output.write("\n")
      try output.flush()
    } else if !options.reading.isStrict {
      tell("line \(line): \(error.message)")
    }
    if options.reading.isStrict { throw error.within("line \(line)") }
  }

  /// Tells the counts of texts that were cut or repaired and of failed records.
  ///
  /// - Parameter maximumTokens: the number of tokens that texts were cut to.
  /// - Throws: `badInput` if there were records and all failed.
  package func end(maximumTokens: Int) throws(VDSQError) {
    if !options.isQuiet {
      if counts.truncated > 0 {
        tell(
          "\(counts.truncated) of \(counted(counts.texts, "text")) cut to \(maximumTokens) tokens")
      }
      if counts.replaced > 0 {
        tell(
          "\(counts.replaced) of \(counted(counts.texts, "text")) with invalid UTF-8, which was replaced"
        )
      }
      if counts.skipped > 0 {
        tell(
          "\(counts.skipped) of \(counted(counts.texts + counts.skipped, "text")) left out: nothing to read"
        )
      }
      if counts.failed > 0, counts.texts > 0 {
        tell("\(counts.failed) of \(counted(counts.texts + counts.failed, "record")) failed")
      }
      if StreamSignals.isStopped { tell("stopped by a signal behind line \(counts.lastLine)") }
    }
    if counts.failed > 0, counts.texts == 0 {
      throw .badInput("0 of \(counted(counts.failed, "record")) could be read")
    }
  }

  /// Writes a line to standard error, behind the program's name.
  package func tell(_ message: String) {
    errors.write(program)
    errors.write(": ")
    errors.write(message)
    errors.write("\n")
    // There is no way to report that standard error cannot be written to.
    try? errors.flush()
  }
}
