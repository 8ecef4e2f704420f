/// The options of a solver.
public struct BasesOptions: Sendable {
  /// The definition of the bases.
  public var method = BasesMethod.pinv
  /// Singular values below this share of the largest count as zero. Nil means the precision of
  /// float64 times the larger dimension.
  public var rcond: Double?
  /// The penalty of `ridge`, as a share of the mean squared singular value.
  public var lambda = 1e-3
  /// The limit of the process's peak memory in bytes; nil for no limit.
  public var budget: Int?
  /// The number of threads of OpenBLAS, at least 1.
  public var threads = 1
  /// Whether bases are bit-identical on every machine of an architecture (x86-64 with AVX2, ARMv8).
  public var portable = false

  /// Creates the default options: `pinv` on one thread, without a memory limit.
  public init() {}
}
