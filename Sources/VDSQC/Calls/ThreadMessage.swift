import CVDSQ

/// The message of the calling thread's last error.
enum ThreadMessage {
  /// Its NUL-terminated UTF-8.
  static var text: UnsafePointer<CChar> { UnsafePointer(vdsq_message_of_thread()) }

  /// Keeps a message, or as many of its characters as there is room for.
  static func keep(_ message: String) {
    let buffer = vdsq_message_of_thread()!
    var length = 0
    for character in message.unicodeScalars {
      let bytes = UTF8.encode(character)!
      guard length + bytes.count < Int(VDSQ_MESSAGE_CAPACITY) else { break }
      // A NUL would end it.
      for byte in bytes where byte != 0 {
        buffer[length] = CChar(bitPattern: byte)
        length += 1
      }
    }
    buffer[length] = 0
  }
}
