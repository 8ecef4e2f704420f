import Glibc
package import VDSQFormat

/// A self-contained page about a converted file: quantization error by layer, distribution of
/// scales, sizes.
package struct ConversionPage: Page {
  private static let width = 760.0
  private static let left = 64.0
  /// One kind of linear layer, `attention.qkv`, over the layers.
  private struct Series {
    let name: String
    var tensors: [(layer: Int, record: TensorRecord)] = []
  }

  private let file: Container
  private let series: [Series]

  /// - Parameter file: opened with its weights, which have the scales.
  package init(_ file: Container) {
    self.file = file
    var series: [Series] = []
    for record in file.tensors where record.error.maxAbs > 0 || record.element.hasScales {
      let parts = record.name.split(separator: ".")
      guard parts.count > 2, parts[0] == "layer", let layer = Int(parts[1]) else { continue }
      let name = parts[2...].joined(separator: ".")
      let index = series.firstIndex { $0.name == name } ?? series.count
      if index == series.count { series.append(Series(name: name)) }
      series[index].tensors.append((layer, record))
    }
    self.series = series
  }

  package var html: String {
    let name = SVG.escaped(file.path)
    let worst = file.tensors.filter { $0.error.maxAbs > 0 }.sorted {
      $0.error.cosine < $1.error.cosine
    }
    let rows = worst.map {
      "<tr><td>\(SVG.escaped($0.name))</td><td>\($0.element.name)\(Self.groups($0))</td>"
        + "<td>\($0.shape.map(String.init).joined(separator: " x "))</td>"
        + "<td>\(significant(Double($0.error.maxAbs)))</td><td>\(significant(Double($0.error.rms)))</td>"
        + "<td>\(fixed(Double($0.error.cosine), 6))</td></tr>"
    }
    return SVG.page(
      "Conversion: \(file.path)",
      """
      <h1>\(name)</h1>
      <p>\(mebibytes(file.header.fileLength)), \(counted(file.tensors.count, "tensor")) in
      \(counted(file.sections.count, "section")).</p>
      <h2>Error by layer</h2>
      <p>Quantization error of each weight matrix, relative to its Frobenius norm. Lower is better.</p>
      \(errorChart)
      <h2>Scales by layer</h2>
      <p>Scales of the rows of int8 matrices on a logarithmic axis: the median, and the range from the 5th to
      the 95th percentile. A wide band means rows of very different norms; a jump points to an unusual
      layer.</p>
      <div class="small">\(scaleCharts)</div>
      <h2>Size by section</h2>
      \(sizeChart)
      <h2>Tensors, largest error first</h2>
      <div class="scroll"><table><thead><tr><th>tensor</th><th>type</th><th>shape</th><th>max abs</th><th>rms</th><th>cosine</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """)
  }

  private static func groups(_ record: TensorRecord) -> String {
    record.groups.map { ", groups of \($0.length)" } ?? ""
  }

  // MARK: Charts

  /// The relative difference: the length of the difference to the checkpoint's tensor divided by
  /// the length of that tensor.
  private static func relativeError(_ record: TensorRecord) -> Double {
    // For nearly parallel tensors the angle is the relative difference.
    (2 * max(0, 1 - Double(record.error.cosine))).squareRoot()
  }

  private var errorChart: String {
    let lossy = series.filter { $0.tensors.contains { $0.record.error.maxAbs > 0 } }
    guard !lossy.isEmpty else { return "<p>No tensor was quantized.</p>" }
    let layers = lossy.flatMap { $0.tensors.map(\.layer) }.max()!
    let most = lossy.flatMap { $0.tensors.map { Self.relativeError($0.record) } }.max()!
    let step = SVG.step(most)
    let top = (most / step).rounded(.up) * step
    let (height, bottom) = (300.0, 260.0)
    let right = Self.width - 190
    func x(_ layer: Int) -> Double {
      Self.left + (right - Self.left) * (layers == 0 ? 0.5 : Double(layer) / Double(layers))
    }
    func y(_ value: Double) -> Double { bottom - (bottom - 16) * value / top }
    var body = ""
    for tick in stride(from: 0.0, through: top + step / 2, by: step) {
      body +=
        SVG.rule(Self.left, right, y(tick))
      body += SVG.text(
        Self.left - 8, y(tick) + 4, tick == 0 ? "0" : "\(significant(tick * 100))%", anchor: "end")
    }
    for layer in stride(from: 0, through: layers, by: max(1, (layers + 11) / 12)) {
      body += SVG.text(x(layer), bottom + 18, "\(layer)", anchor: "middle")
    }
    body += SVG.text((Self.left + right) / 2, bottom + 36, "layer", anchor: "middle")
    for (i, one) in lossy.enumerated() {
      let colour = SVG.colours[i % SVG.colours.count]
      let points = one.tensors.map { (x($0.layer), y(Self.relativeError($0.record))) }
      body += SVG.line(points, colour)
      for (point, tensor) in zip(points, one.tensors) {
        let share = significant(Self.relativeError(tensor.record) * 100)
        body += SVG.dot(
          point.0, point.1, colour, title: "layer \(tensor.layer), \(one.name): \(share)%")
      }
      body += SVG.box(right + 16, Double(20 + i * 20), 12, 12, colour)
      body += SVG.text(
        right + 34, Double(30 + i * 20), String(one.name.split(separator: ".weight")[0]), "name")
    }
    return SVG.picture(Self.width, height, "error by layer", body)
  }

  private var scaleCharts: String {
    let scaled = series.filter { $0.tensors.allSatisfy { $0.record.element.hasScales } }
    return scaled.enumerated().map { scaleChart($1, SVG.colours[$0 % SVG.colours.count]) }
      .joined(separator: "\n")
  }

  private func scaleChart(_ series: Series, _ colour: String) -> String {
    let spreads = series.tensors.map { (layer: $0.layer, values: percentiles($0.record)) }
    let all = spreads.flatMap(\.values)
    let low = (all.min() ?? -1).rounded(.down), high = max((all.max() ?? 0).rounded(.up), low + 1)
    let (width, height, bottom, left) = (300.0, 170.0, 142.0, 44.0)
    let layers = max(1, series.tensors.map(\.layer).max() ?? 1)
    func x(_ layer: Int) -> Double { left + (width - left - 8) * Double(layer) / Double(layers) }
    func y(_ value: Double) -> Double { bottom - (bottom - 28) * (value - low) / (high - low) }
    var body = SVG.text(left, 14, String(series.name.split(separator: ".weight")[0]), "name")
    for tick in stride(from: low, through: high, by: 1) {
      body +=
        SVG.rule(left, width - 8, y(tick))
      body += SVG.text(left - 6, y(tick) + 4, "1e\(fixed(tick, 0))", anchor: "end")
    }
    let band =
      spreads.map { (x($0.layer), y($0.values[2])) }
      + spreads.reversed().map { (x($0.layer), y($0.values[0])) }
    body += SVG.area(band, colour)
    body += SVG.line(spreads.map { (x($0.layer), y($0.values[1])) }, colour)
    for layer in [0, layers] {
      body += SVG.text(x(layer), bottom + 16, "\(layer)", anchor: layer == 0 ? "start" : "end")
    }
    return SVG.picture(width, height, "scales of \(series.name)", body)
  }

  /// The logarithms of a tensor's scales: 5%, median, 95%.
  private func percentiles(_ record: TensorRecord) -> [Double] {
    guard let view = file.find(record.name), let scales = view.scales else { return [0, 0, 0] }
    let values = (0..<record.rows).map { Double(scales[$0]) }.filter { $0 > 0 && $0.isFinite }
      .map(log10).sorted()
    guard !values.isEmpty else { return [0, 0, 0] }
    return [0.05, 0.5, 0.95].map { values[Int($0 * Double(values.count - 1))] }
  }

  private var sizeChart: String {
    let sections = file.sections.sorted { $0.length > $1.length }
    let shown = sections.prefix(24)
    let most = Double(max(1, shown.first?.rawLength ?? 1))
    var body = ""
    let left = 130.0, right = Self.width - 190
    for (i, section) in shown.enumerated() {
      let y = Double(i * 22)
      let scale = (right - left) / most
      body += SVG.text(left - 8, y + 15, section.name, anchor: "end", "name")
      if section.encoding == .lz4 {
        body += SVG.box(
          left, y + 3, Double(section.rawLength) * scale, 16, SVG.colours[0], opacity: 0.25)
      }
      body += SVG.box(left, y + 3, max(1, Double(section.length) * scale), 16, SVG.colours[0])
      let packed =
        section.encoding == .lz4 ? " (LZ4, \(mebibytes(section.rawLength)) decoded)" : ""
      let end = left + Double(section.encoding == .lz4 ? section.rawLength : section.length) * scale
      body += SVG.text(end + 6, y + 15, mebibytes(section.length) + packed)
    }
    let rest = sections.dropFirst(24).reduce(0) { $0 + $1.length }
    if rest > 0 {
      body += SVG.text(
        left, Double(shown.count * 22 + 15),
        "and \(sections.count - shown.count) smaller ones, \(mebibytes(rest))")
    }
    return SVG.picture(Self.width, Double(shown.count * 22 + 24), "size by section", body)
  }
}
