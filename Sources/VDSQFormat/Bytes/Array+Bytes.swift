extension Array where Element: BitwiseCopyable {
  /// `withUnsafeBytes` that propagates a typed error.
  package func withBytes<Value>(
    _ body: (UnsafeRawBufferPointer) throws(VDSQError) -> Value
  ) throws(VDSQError) -> Value {
    try withUnsafeBufferPointer { (buffer) throws(VDSQError) in
      try body(UnsafeRawBufferPointer(buffer))
    }
  }

  /// `withUnsafeMutableBytes` that propagates a typed error.
  package mutating func withMutableBytes<Value>(
    _ body: (UnsafeMutableRawBufferPointer) throws(VDSQError) -> Value
  ) throws(VDSQError) -> Value {
    try withUnsafeMutableBufferPointer { (buffer) throws(VDSQError) in
      try body(UnsafeMutableRawBufferPointer(buffer))
    }
  }
}
