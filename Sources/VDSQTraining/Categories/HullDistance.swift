import VDSQKernels

/// Distances of points to the convex hull of a category's states, in all dimensions.
///
///     min over alpha of |q - X^T alpha|,   alpha >= 0, sum alpha = 1
///
/// by the pairwise Frank-Wolfe method (Lacoste-Julien and Jaggi 2015), which converges linearly on
/// a polytope. Weight moves from the worst vertex of the present combination to the best vertex,
/// until the duality gap bounds the error.
struct HullDistance {
  /// `[count, dimensions]`.
  private let vertices: Floats
  /// The squared length of each vertex.
  private let squares: [Float]
  private let count: Int
  private let dimensions: Int
  private let kernels: KernelTable

  /// The gap at which a search ends, as a share of the squared distance: the distance is exact to
  /// half of it.
  private static let tolerance: Float = 1e-5
  /// A squared distance that counts as 0, as a share of the first vertex's.
  private static let inside: Float = 1e-8
  private static let mostSteps = 5000

  /// - Parameter vertices: `[count, dimensions]`, at least one.
  init(_ vertices: Floats, dimensions: Int, _ kernels: KernelTable) {
    self.vertices = vertices
    self.dimensions = dimensions
    self.kernels = kernels
    count = vertices.count / dimensions
    squares = (0..<count).map { i in
      var square: Float = 0
      let row = vertices.p + i * dimensions
      kernels.dotRows(row, row, 1, dimensions, &square)
      return square
    }
  }

  /// The distance of a point to the hull; nil if no vertex is left.
  ///
  /// - Parameter leftOut: a vertex that does not count, because it is the point itself.
  func distance(of point: UnsafePointer<Float>, leavingOut leftOut: Int? = nil) -> Float? {
    guard count > (leftOut == nil ? 0 : 1) else { return nil }
    let d = dimensions
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * count + d) { scratch in
      let products = scratch.baseAddress!
      let weights = products + count
      let rest = weights + count
      for i in 0..<count { weights[i] = 0 }
      var best = nearest(point, products, leavingOut: leftOut)
      weights[best] = 1
      for i in 0..<d { rest[i] = point[i] - vertices.p[best * d + i] }
      let first = square(rest)
      for _ in 0..<Self.mostSteps {
        let distance = square(rest)
        if distance <= Self.inside * first { return 0 }
        kernels.dotRows(rest, vertices.p, count, d, products)
        var worst = -1
        var mean: Float = 0
        best = -1
        for i in 0..<count where i != leftOut {
          if best < 0 || products[i] > products[best] { best = i }
          guard weights[i] > 0 else { continue }
          mean += weights[i] * products[i]
          if worst < 0 || products[i] < products[worst] { worst = i }
        }
        if products[best] - mean <= Self.tolerance * distance || best == worst { break }
        // The step along x_best - x_worst that ends closest to the point.
        let length = squaredDistance(best, worst)
        guard length > 0 else { break }
        let step = min(weights[worst], (products[best] - products[worst]) / length)
        weights[best] += step
        weights[worst] = step < weights[worst] ? weights[worst] - step : 0
        kernels.addScaled(-step, vertices.p + best * d, d, rest)
        kernels.addScaled(step, vertices.p + worst * d, d, rest)
      }
      return square(rest).squareRoot()
    }
  }

  private func square(_ vector: UnsafePointer<Float>) -> Float {
    var square: Float = 0
    kernels.dotRows(vector, vector, 1, dimensions, &square)
    return square
  }

  private func squaredDistance(_ a: Int, _ b: Int) -> Float {
    var sum: Float = 0
    for i in 0..<dimensions {
      let difference = vertices.p[a * dimensions + i] - vertices.p[b * dimensions + i]
      sum += difference * difference
    }
    return sum
  }

  private func nearest(
    _ point: UnsafePointer<Float>, _ products: UnsafeMutablePointer<Float>,
    leavingOut leftOut: Int?
  ) -> Int {
    kernels.dotRows(point, vertices.p, count, dimensions, products)
    var best = -1
    var least = Float.infinity
    for i in 0..<count where i != leftOut {
      // |q - x|^2 without the part that all vertices share.
      let distance = squares[i] - 2 * products[i]
      if best < 0 || distance < least { (best, least) = (i, distance) }
    }
    return best
  }
}
