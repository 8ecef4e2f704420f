/// The first bytes of four activation rows.
@frozen
public struct FourRows {
  /// The addresses of the four rows.
  public let a0, a1, a2, a3: UnsafeRawPointer

  /// Refers to four rows in memory of the caller.
  @_alwaysEmitIntoClient @inline(__always)
  public init(
    _ a0: UnsafeRawPointer, _ a1: UnsafeRawPointer, _ a2: UnsafeRawPointer, _ a3: UnsafeRawPointer
  ) {
    (self.a0, self.a1, self.a2, self.a3) = (a0, a1, a2, a3)
  }
}
