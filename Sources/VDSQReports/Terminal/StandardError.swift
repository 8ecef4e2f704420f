import Glibc

/// The terminal or file that errors and progress go to.
package enum StandardError {
  /// Whether it is a terminal.
  package static let isTerminal = isatty(2) == 1

  /// The width of the terminal, which may change; 80 if it does not say.
  package static var columns: Int {
    var size = winsize()
    guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes a text, as far as it can be written.
  package static func write(_ text: String) {
    var text = text
    // There is no way to report that standard error cannot be written to.
    text.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
  }
}
