import Glibc
public import VDSQFormat

/// The routines of OpenBLAS that the solver needs, found when they are first wanted: what runs on the
/// machine later does not load the library, and converting without bases does without it.
///
/// Matrices are in column order, as LAPACK has them.
public struct LinearAlgebra {
  private typealias Integer = UnsafePointer<Int32>
  private typealias Real = UnsafePointer<Double>
  private typealias Matrix = UnsafeMutablePointer<Double>
  private typealias Text = UnsafePointer<CChar>

  private typealias Syrk =
    @convention(c) (
      Text, Text, Integer, Integer, Real, Real, Integer, Real, Matrix, Integer
    ) -> Void
  private typealias Gemm =
    @convention(c) (
      Text, Text, Integer, Integer, Integer, Real, Real, Integer, Real, Integer, Real, Matrix,
      Integer
    ) -> Void
  private typealias Potrf =
    @convention(c) (
      Text, Integer, Matrix, Integer, UnsafeMutablePointer<Int32>
    ) -> Void
  private typealias Syev =
    @convention(c) (
      Text, Text, Integer, Matrix, Integer, Matrix, Matrix, Integer, UnsafeMutablePointer<Int32>,
      Integer, UnsafeMutablePointer<Int32>
    ) -> Void
  private typealias Gesdd =
    @convention(c) (
      Text, Integer, Integer, Matrix, Integer, Matrix, Matrix, Integer, Matrix, Integer, Matrix,
      Integer, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>
    ) -> Void

  private let syrk: Syrk
  private let gemm: Gemm
  private let potrf: Potrf
  private let potri: Potrf
  private let syevd: Syev
  private let gesdd: Gesdd

  /// - Parameter portable: whether results are to be the same bits on every machine of an architecture: by the
  ///   kernels for CPUs with AVX2, or for any ARMv8, rather than those that suit this one.
  /// - Throws: `missingInput` where the library cannot be loaded.
  public init(threads: Int, portable: Bool = false) throws(VDSQError) {
    #if arch(x86_64)
      let core = "Haswell"
    #else
      let core = "ARMV8"
    #endif
    // The library looks when it is loaded, which is once.
    if portable, dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD) == nil {
      setenv("OPENBLAS_CORETYPE", core, 1)
    }
    // A smaller work space for each thread than the library would take.
    guard let library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL) else {
      throw VDSQError(
        .missingInput, "libopenblas.so.0 cannot be loaded: apt-get install libopenblas0-pthread")
    }
    func find<T>(_ name: String, as type: T.Type) throws(VDSQError) -> T {
      guard let symbol = dlsym(library, name) else {
        throw VDSQError(.missingInput, "libopenblas.so.0 has no \(name): install Debian's OpenBLAS")
      }
      return unsafeBitCast(symbol, to: type)
    }
    syrk = try find("dsyrk_", as: Syrk.self)
    gemm = try find("dgemm_", as: Gemm.self)
    potrf = try find("dpotrf_", as: Potrf.self)
    potri = try find("dpotri_", as: Potrf.self)
    syevd = try find("dsyevd_", as: Syev.self)
    gesdd = try find("dgesdd_", as: Gesdd.self)
    try find("openblas_set_num_threads", as: (@convention(c) (Int32) -> Void).self)(Int32(threads))
  }

  /// `c += a a^T`, the lower triangle, for `n` rows by `k` columns.
  func addProduct(_ a: UnsafePointer<Double>, n: Int, k: Int, to c: UnsafeMutablePointer<Double>) {
    syrk("L", "N", [Int32(n)], [Int32(k)], [1], a, [Int32(n)], [1], c, [Int32(n)])
  }

  /// `c = a b`, or `a b^T` where the right side is transposed: `m` x `k` by `k` x `n`.
  func multiply(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, m: Int, n: Int, k: Int,
    transposedLeft: Bool = false, transposed: Bool = false, into c: UnsafeMutablePointer<Double>
  ) {
    gemm(
      transposedLeft ? "T" : "N", transposed ? "T" : "N", [Int32(m)], [Int32(n)], [Int32(k)], [1],
      a, [Int32(transposedLeft ? k : m)], b, [Int32(transposed ? n : k)], [0], c, [Int32(m)])
  }

  /// The inverse of a positive definite matrix of order `n`, in place, both triangles.
  ///
  /// - Returns: whether it is positive definite.
  func invert(_ a: UnsafeMutablePointer<Double>, n: Int) -> Bool {
    var info: Int32 = 0
    potrf("L", [Int32(n)], a, [Int32(n)], &info)
    guard info == 0 else { return false }
    potri("L", [Int32(n)], a, [Int32(n)], &info)
    guard info == 0 else { return false }
    Self.mirror(a, n)
    return true
  }

  /// Copies the lower triangle to the upper one.
  static func mirror(_ a: UnsafeMutablePointer<Double>, _ n: Int) {
    for column in 0..<n {
      for row in column + 1..<max(column + 1, n) { a[row * n + column] = a[column * n + row] }
    }
  }

  /// The eigenvalues of a symmetric matrix, ascending; `a` becomes the eigenvectors, columns each, or is
  /// lost.
  ///
  /// - Throws: `internalFault` where they are not found.
  func eigenvalues(
    _ a: UnsafeMutablePointer<Double>, n: Int, vectors: Bool
  ) throws(VDSQError) -> [Double] {
    var values = [Double](repeating: 0, count: n)
    var info: Int32 = 0
    var size = 0.0
    var integers: Int32 = 0
    let kind = vectors ? "V" : "N"
    syevd(
      kind, "L", [Int32(n)], a, [Int32(n)], &values, &size, [-1], &integers, [-1], &info)
    var work = [Double](repeating: 0, count: Int(size))
    var integerWork = [Int32](repeating: 0, count: Int(integers))
    syevd(
      kind, "L", [Int32(n)], a, [Int32(n)], &values, &work, [Int32(work.count)], &integerWork,
      [Int32(integerWork.count)], &info)
    guard info == 0 else {
      throw VDSQError(.internalFault, "the eigenvalues of a matrix of order \(n) were not found")
    }
    return values
  }

  /// Singular values, descending, and both sides' vectors of a square matrix, which is lost: `u` as
  /// columns, `vt` as rows.
  func singularValues(
    _ a: UnsafeMutablePointer<Double>, n: Int, u: UnsafeMutablePointer<Double>,
    vt: UnsafeMutablePointer<Double>
  ) throws(VDSQError) -> [Double] {
    var values = [Double](repeating: 0, count: n)
    var integerWork = [Int32](repeating: 0, count: 8 * n)
    var info: Int32 = 0
    var size = 0.0
    let order = [Int32(n)]
    gesdd(
      "A", order, order, a, order, &values, u, order, vt, order, &size, [-1], &integerWork, &info)
    var work = [Double](repeating: 0, count: Int(size))
    gesdd(
      "A", order, order, a, order, &values, u, order, vt, order, &work, [Int32(work.count)],
      &integerWork, &info)
    guard info == 0 else {
      throw VDSQError(
        .internalFault, "the singular values of a matrix of order \(n) were not found")
    }
    return values
  }
}
