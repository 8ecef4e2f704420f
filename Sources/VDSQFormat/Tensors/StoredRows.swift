/// The values of a container's tensor as floats, row by row, for every storage type. A scalar
/// implementation of docs/format.md that shares no code with the kernels.
package struct StoredRows {
  /// The tensor's record and the addresses of its parts.
  package let view: TensorView
  /// The container whose map the view points into.
  private let container: Container

  private var record: TensorRecord { view.record }

  /// - Throws: `badInput` if the container has no tensor of that name.
  package init(_ container: Container, _ name: String) throws(VDSQError) {
    guard let view = container.find(name) else {
      throw .badInput("\(container.path): there is no tensor \(name); vdsq inspect lists them")
    }
    self.view = view
    self.container = container
  }

  /// Releases the pages of earlier rows, every 4 MiB of values, because files may be larger than
  /// memory.
  package func release(before row: Int) {
    let step = max(1, (1 << 22) / max(1, 4 * record.columns))
    if row % step == 0 { release() }
  }

  /// Releases the pages of the section.
  package func release() { container.release(section: record.section) }

  /// One row, `columns` values.
  package func row(_ row: Int, into out: inout [Float]) {
    let columns = record.columns
    out.removeAll(keepingCapacity: true)
    for column in 0..<columns { out.append(value(row, column)) }
  }

  /// Sixteen rows by sixteen columns, both starting at multiples of sixteen, `[16][16]`. Elements
  /// outside the tensor are zero.
  package func block(_ row: Int, _ column: Int, into out: UnsafeMutablePointer<Float>) {
    let height = min(16, record.rows - row), width = min(16, record.columns - column)
    if record.element == .int8, record.order == .panels16, width == 16, height == 16 {
      // Four columns of a row are adjacent.
      let quads = view.data + (row / 16 * ((record.columns + 3) / 4) + column / 4) * 64
      for i in 0..<16 {
        let scale = SIMD16<Float>(repeating: view.scales![row + i])
        var bytes = SIMD4<Int32>()
        for q in 0..<4 {
          bytes[q] = quads.loadUnaligned(fromByteOffset: q * 64 + i * 4, as: Int32.self)
        }
        let values = SIMD16<Float>(unsafeBitCast(bytes, to: SIMD16<Int8>.self))
        UnsafeMutableRawPointer(out + i * 16).storeBytes(of: values * scale, as: SIMD16<Float>.self)
      }
      return
    }
    for i in 0..<16 {
      for j in 0..<16 {
        out[i * 16 + j] = i < height && j < width ? value(row + i, column + j) : 0
      }
    }
  }

  private func value(_ row: Int, _ column: Int) -> Float {
    let columns = record.columns
    switch (record.element, record.order) {
    case (.float32, .panels16):
      return float(((row / 16 * columns + column) * 16 + row % 16) * 4)
    case (.float32, _): return float((row * columns + column) * 4)
    case (.float16, .panels16):
      return half(view.data, (row / 16 * columns + column) * 16 + row % 16)
    case (.float16, _): return half(view.data, row * columns + column)
    case (.int8, .panels16), (.int8, .groups16):
      let quads = (columns + 3) / 4
      let at = ((row / 16 * quads + column / 4) * 16 + row % 16) * 4 + column % 4
      let q = Float(view.data.load(fromByteOffset: at, as: Int8.self))
      guard let groups = record.groups else { return q * view.scales![row] }
      let group = row / 16 * groups.count(columns: columns) + column / groups.length
      return q * (view.scales![row] * half(view.factors!, group * 16 + row % 16))
    case (.int4, .rowGroups):
      guard let groups = record.groups else { return 0 }
      let bytes = view.data + row * record.rowBytes
      let four =
        bytes.load(fromByteOffset: column / 8 * 4 + column % 4, as: UInt8.self)
        >> (column / 4 % 2 * 4) & 15
      let group = column / groups.length, factors = bytes + columns / 2
      let zeroPoint = factors.load(
        fromByteOffset: 2 * groups.count(columns: columns) + group, as: UInt8.self)
      return Float(8 * Int(four) - Int(zeroPoint)) * (view.scales![row] * half(factors, group))
    case (.int4, _):
      guard let groups = record.groups else { return 0 }
      let at = row / 16 * (columns / 8 * 64) + column / 8 * 64 + row % 16 * 4 + column % 4
      let four = view.data.load(fromByteOffset: at, as: UInt8.self) >> (column / 4 % 2 * 4) & 15
      let group = (row / 16 * groups.count(columns: columns) + column / groups.length) * 16
      let zeroPoint = view.zeroPoints!.load(fromByteOffset: group + row % 16, as: UInt8.self)
      return Float(8 * Int(four) - Int(zeroPoint))
        * (view.scales![row] * half(view.factors!, group + row % 16))
    case (.int8, _):
      return Float(view.data.load(fromByteOffset: row * columns + column, as: Int8.self))
        * view.scales![row]
    case (.bits4, _):
      let byte = view.data.load(
        fromByteOffset: row * ((columns + 1) / 2) + column / 2, as: UInt8.self)
      let q = Int8(bitPattern: column % 2 == 0 ? byte << 4 : byte & 0xF0) / 16
      return Float(q) / 16
    case (.bits2, _):
      let rowBytes = (columns + 7) / 8 * 2
      let place = row % 64 % 32 * 2 + row % 64 / 32
      let byte = view.data.load(
        fromByteOffset: (row / 64 * rowBytes + column / 4) * 64 + place, as: UInt8.self)
      return [-1.510, -0.4528, 0.4528, 1.510][Int(byte >> (column % 4 * 2) & 3)]
        * view.scales![row]
    }
  }

  private func float(_ offset: Int) -> Float {
    view.data.loadUnaligned(fromByteOffset: offset, as: Float.self)
  }

  private func half(_ p: UnsafeRawPointer, _ index: Int) -> Float {
    Float(Float16(bitPattern: p.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
  }
}
