import Testing

import VDSQTraining

@Suite struct PrincipalPlaneTests {
  @Test func hullHasTheCornersAlone() {
    let square: [(x: Float, y: Float)] = [
      (0, 0), (2, 0), (2, 2), (0, 2), (1, 1), (1, 0), (0.5, 1.5),
    ]
    let hull = PrincipalPlane.hull(square)
    #expect(hull.map { "\($0.x) \($0.y)" } == ["0.0 0.0", "2.0 0.0", "2.0 2.0", "0.0 2.0"])
    // Points on a line, and the same point twice.
    #expect(PrincipalPlane.hull([(0, 0), (1, 1), (2, 2)]).count == 2)
    #expect(PrincipalPlane.hull([(1, 1), (1, 1)]).count == 2)
  }
}
