/// The values of a panel that an epilogue needs, loaded once for all rows of a tile.
@frozen @usableFromInline
struct PanelColumn {
  @usableFromInline let first: Int
  @usableFromInline let left: Int
  @usableFromInline let scale: SIMD16<Float>
  @usableFromInline let bias: SIMD16<Float>

  @_alwaysEmitIntoClient @inline(__always)
  init(_ w: WeightPanels, _ panel: Int) {
    first = panel * 16
    left = w.outputs - first
    scale = w.scales.map { load16($0 + panel * 16) } ?? splat(1)
    bias = w.bias.map { load16($0 + panel * 16, count: w.outputs - panel * 16) } ?? splat(0)
  }
}
