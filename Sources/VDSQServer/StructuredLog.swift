import Glibc
package import Logging
import VDSQStreams

/// Writes log events to standard error, each in one line: text with `key=value` pairs, or JSON.
package struct StructuredLog: LogHandler {
  /// The form of a line.
  package enum Format: String, CaseIterable, Sendable {
    case text, json
  }

  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  package var logLevel: Logger.Level
  private let format: Format
  /// Whether the journal reads standard error; it has its own times, and takes levels in front of
  /// lines (sd-daemon(3)).
  private let isJournal: Bool

  package init(_ format: Format, level: Logger.Level) {
    (self.format, logLevel) = (format, level)
    isJournal = getenv("JOURNAL_STREAM") != nil
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    var line = line(event, all.sorted { $0.key < $1.key })
    line.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
  }

  private func line(
    _ event: LogEvent, _ metadata: [(key: String, value: Logger.Metadata.Value)]
  ) -> String {
    let prefix = isJournal ? "<\(priority(event.level))>" : ""
    if format == .json {
      return prefix
        + JSONWriter.string { json in
          json.object {
            if !isJournal { json.member("time", Self.time) }
            json.member("level", event.level.rawValue)
            json.member("message", event.message.description)
            for (key, value) in metadata { json.member(key, value.description) }
          }
        } + "\n"
    }
    var text = prefix
    if !isJournal { text += "\(Self.time) \(event.level.rawValue) " }
    text += Self.oneLine(event.message.description)
    for (key, value) in metadata {
      let value = value.description
      let isPlain =
        !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D }
      text += " \(key)=" + (isPlain ? value : JSONWriter.string { $0.write(value) })
    }
    return text + "\n"
  }

  private func priority(_ level: Logger.Level) -> Int {
    switch level {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }

  private static func oneLine(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }

  /// The time in UTC, by ISO 8601.
  private static var time: String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let milliseconds = "\(1000 + now.tv_nsec / 1_000_000)".dropFirst()
    return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
      + ".\(milliseconds)Z"
  }
}
