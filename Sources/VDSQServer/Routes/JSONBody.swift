import VDSQStreams

extension HTTPAnswer {
  /// An answer of JSON.
  init(_ write: (JSONWriter) -> Void) {
    let output = OutputBuffer(descriptor: nil)
    write(JSONWriter(output))
    self.init("application/json", output.bytes)
  }
}
