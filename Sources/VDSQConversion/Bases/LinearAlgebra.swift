private import COpenBLAS
import Glibc
package import VDSQFormat

/// Dense float64 linear algebra by OpenBLAS, which is loaded when the first value is made: linked,
/// it would take 3 MB and start a thread in every `vdsq`.
///
/// Matrices are in column order, as in LAPACK.
package struct LinearAlgebra {
  private let library: OpenBLAS

  /// - Parameter portable: whether results are bit-identical on every machine of an architecture.
  ///   Then OpenBLAS uses its kernels for CPUs with AVX2, or for any ARMv8, rather than those for
  ///   this CPU.
  /// - Throws: `missingInput` if the library cannot be loaded.
  package init(threads: Int, portable: Bool = false) throws(VDSQError) {
    #if arch(x86_64)
      let core = "Haswell"
    #else
      let core = "ARMV8"
    #endif
    // The library reads the variable when it is loaded, which happens once.
    if portable, dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD) == nil {
      setenv("OPENBLAS_CORETYPE", core, 1)
    }
    guard let handle = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL) else {
      throw VDSQError(
        .missingInput, "libopenblas.so.0 cannot be loaded: apt-get install libopenblas0-pthread")
    }
    var library = OpenBLAS()
    if let missing = openblas_find(handle, &library) {
      throw VDSQError(
        .missingInput,
        "libopenblas.so.0 has no \(String(cString: missing)): install Debian's OpenBLAS")
    }
    library.set_num_threads(Int32(threads))
    self.library = library
  }

  /// `c += a a^T`, the lower triangle, for `n` rows by `k` columns.
  func addProduct(_ a: UnsafePointer<Double>, n: Int, k: Int, to c: UnsafeMutablePointer<Double>) {
    library.dsyrk(
      CblasColMajor, CblasLower, CblasNoTrans, Int32(n), Int32(k), 1, a, Int32(n), 1, c, Int32(n))
  }

  /// `c = a b`, or `a b^T` if the right side is transposed: `m` x `k` by `k` x `n`.
  func multiply(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, m: Int, n: Int, k: Int,
    transposedLeft: Bool = false, transposed: Bool = false, into c: UnsafeMutablePointer<Double>
  ) {
    library.dgemm(
      CblasColMajor, transposedLeft ? CblasTrans : CblasNoTrans,
      transposed ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a,
      Int32(transposedLeft ? k : m), b, Int32(transposed ? n : k), 0, c, Int32(m))
  }

  /// The inverse of a positive definite matrix of order `n`, in place, both triangles.
  ///
  /// - Returns: whether it is positive definite.
  func invert(_ a: UnsafeMutablePointer<Double>, n: Int) -> Bool {
    guard factor(a, n: n) else { return false }
    var info: Int32 = 0
    library.dpotri("L", [Int32(n)], a, [Int32(n)], &info, 1)
    guard info == 0 else { return false }
    Self.mirror(a, n)
    return true
  }

  /// The Cholesky factor L of a positive definite matrix `L L^T` of order `n`, in place in the lower
  /// triangle.
  ///
  /// - Returns: whether it is positive definite.
  func factor(_ a: UnsafeMutablePointer<Double>, n: Int) -> Bool {
    var info: Int32 = 0
    library.dpotrf("L", [Int32(n)], a, [Int32(n)], &info, 1)
    return info == 0
  }

  /// Copies the lower triangle to the upper one.
  static func mirror(_ a: UnsafeMutablePointer<Double>, _ n: Int) {
    for column in 0..<n {
      for row in column + 1..<max(column + 1, n) { a[row * n + column] = a[column * n + row] }
    }
  }

  /// The eigenvalues of a symmetric matrix, ascending. `a` receives the eigenvectors as columns, or
  /// is destroyed.
  ///
  /// - Throws: `internalFault` if they are not found.
  func eigenvalues(
    _ a: UnsafeMutablePointer<Double>, n: Int, vectors: Bool
  ) throws(VDSQError) -> [Double] {
    var values = [Double](repeating: 0, count: n)
    var info: Int32 = 0
    var size = 0.0
    var integers: Int32 = 0
    let kind = vectors ? "V" : "N"
    library.dsyevd(
      kind, "L", [Int32(n)], a, [Int32(n)], &values, &size, [-1], &integers, [-1], &info, 1, 1)
    var work = [Double](repeating: 0, count: Int(size))
    var integerWork = [Int32](repeating: 0, count: Int(integers))
    library.dsyevd(
      kind, "L", [Int32(n)], a, [Int32(n)], &values, &work, [Int32(work.count)], &integerWork,
      [Int32(integerWork.count)], &info, 1, 1)
    guard info == 0 else {
      throw VDSQError(.internalFault, "the eigenvalues of a matrix of order \(n) were not found")
    }
    return values
  }

  /// The singular values, descending, and singular vectors of a square matrix, which is destroyed:
  /// `u` has columns, `vt` has rows.
  func singularValues(
    _ a: UnsafeMutablePointer<Double>, n: Int, u: UnsafeMutablePointer<Double>,
    vt: UnsafeMutablePointer<Double>
  ) throws(VDSQError) -> [Double] {
    var values = [Double](repeating: 0, count: n)
    var integerWork = [Int32](repeating: 0, count: 8 * n)
    var info: Int32 = 0
    var size = 0.0
    let order = [Int32(n)]
    library.dgesdd(
      "A", order, order, a, order, &values, u, order, vt, order, &size, [-1], &integerWork, &info,
      1)
    var work = [Double](repeating: 0, count: Int(size))
    library.dgesdd(
      "A", order, order, a, order, &values, u, order, vt, order, &work, [Int32(work.count)],
      &integerWork, &info, 1)
    guard info == 0 else {
      throw VDSQError(
        .internalFault, "the singular values of a matrix of order \(n) were not found")
    }
    return values
  }
}
