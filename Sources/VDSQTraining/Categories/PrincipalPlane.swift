import VDSQKernels

/// The first two principal components of states, for a picture.
package struct PrincipalPlane: Sendable {
  /// The place of each item.
  package let points: [(x: Float, y: Float)]
  /// The share of the variance that each component has.
  package let shares: (x: Float, y: Float)

  init(_ states: CentredStates, arithmetic: MatrixArithmetic) {
    let d = states.dimensions
    let (components, variance) = states.principalComponents(2, arithmetic: arithmetic)
    var points: [(Float, Float)] = []
    states.forEachBlock { _, count, rows in
      for row in 0..<count {
        var place: [Float] = [0, 0]
        arithmetic.kernels.dotRows(
          rows + row * d, components.vectors, components.values.count, d, &place)
        points.append((place[0], place[1]))
      }
    }
    self.points = points
    let shares = components.shares(of: variance) + [0]
    self.shares = (shares[0], shares[1])
  }
}

extension PrincipalPlane {
  /// The convex hull of some points, by Andrew's monotone chain: its corners in order.
  package static func hull(_ points: [(x: Float, y: Float)]) -> [(x: Float, y: Float)] {
    let sorted = points.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
    guard sorted.count > 2 else { return sorted }
    func half(_ points: some Sequence<(x: Float, y: Float)>) -> [(x: Float, y: Float)] {
      var corners: [(x: Float, y: Float)] = []
      for c in points {
        while corners.count > 1 {
          let a = corners[corners.count - 2], b = corners[corners.count - 1]
          guard (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) <= 0 else { break }
          corners.removeLast()
        }
        corners.append(c)
      }
      return Array(corners.dropLast())
    }
    return half(sorted) + half(sorted.reversed())
  }
}
