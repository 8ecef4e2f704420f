import VDSQFormat

extension GraphReader {
  /// The results of an operation on numbers that do not depend on weights; nil if it is not one of
  /// those that encoders' shapes, positions and masks are made of.
  func computed(
    _ node: ONNXNode, _ inputs: [KnownTensor?]
  ) throws(VDSQError) -> [KnownTensor]? {
    if node.operation == "Range" { return try range(inputs).map { [$0] } }
    guard let first = inputs.first ?? nil else { return nil }
    if let body = Self.unary[node.operation], inputs.count == 1 {
      let kind: KnownTensor.Kind? =
        node.operation == "IsNaN" || node.operation == "Not" ? .boolean : nil
      try charge(first.shape)
      return [first.map(kind, body)]
    }
    if let body = Self.binary[node.operation], inputs.count == 2, let second = inputs[1] {
      return try combined(node.operation, first, second, body).map { [$0] }
    }
    switch node.operation {
    case "Identity": return [first]
    case "Cast":
      guard let element = ONNXElement(rawValue: node.integer("to") ?? 0) else { return nil }
      try charge(first.shape)
      return [first.cast(to: element.kind)]
    case "CastLike":
      try charge(first.shape)
      return inputs.count > 1 ? inputs[1].map { [first.cast(to: $0.kind)] } : nil
    case "ConstantOfShape": return try filled(node, first).map { [$0] }
    case "Where":
      guard inputs.count == 3, let a = inputs[1], let b = inputs[2] else { return nil }
      return try chosen(first, a, b).map { [$0] }
    case "Concat":
      let parts = inputs.compactMap { $0 }
      guard parts.count == inputs.count,
        let axis = axis(node.integer("axis") ?? 0, of: first.shape),
        parts.allSatisfy({ part in
          part.shape.count == first.shape.count
            && part.shape.indices.allSatisfy { $0 == axis || part.shape[$0] == first.shape[$0] }
        })
      else { return nil }
      for part in parts { try charge(part.shape) }
      return [KnownTensor(Grid.joined(parts.map(\.grid), axis: axis), first.kind)]
    case "Clip":
      // Before opset 11 the limits are attributes.
      let low = inputs.count > 1 ? inputs[1]?.scalar : node.number("min")
      let high = inputs.count > 2 ? inputs[2]?.scalar : node.number("max")
      try charge(first.shape)
      return [first.map { min(max($0, low ?? -.infinity), high ?? .infinity) }]
    case "CumSum":
      return try cumulated(node, first, inputs.count > 1 ? inputs[1] : nil).map { [$0] }
    case "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd":
      return try reduced(node, first, inputs.count > 1 ? inputs[1] : nil).map { [$0] }
    case "GatherElements":
      return try gatheredElements(node, first, inputs.count > 1 ? inputs[1] : nil).map { [$0] }
    case "GatherND": return try gatheredByIndex(node, first, inputs).map { [$0] }
    case "Trilu": return try triangle(node, first, inputs.count > 1 ? inputs[1] : nil).map { [$0] }
    default: return try arranged(node, first, inputs)
    }
  }

  private func combined(
    _ operation: String, _ a: KnownTensor, _ b: KnownTensor, _ body: (Double, Double) -> Double
  ) throws(VDSQError) -> KnownTensor? {
    guard let shape = Grid<Double>.common(a.shape, b.shape) else { return nil }
    try charge(shape)
    let isInteger = a.kind == .integer && b.kind == .integer
    let kind: KnownTensor.Kind =
      Self.comparisons.contains(operation) ? .boolean : isInteger ? .integer : .float
    return KnownTensor.combined(a, b, kind) {
      let value = body($0, $1)
      return operation == "Div" && isInteger ? value.rounded(.towardZero) : value
    }
  }

  private func chosen(
    _ condition: KnownTensor, _ a: KnownTensor, _ b: KnownTensor
  ) throws(VDSQError) -> KnownTensor? {
    guard let both = Grid<Double>.common(a.shape, b.shape),
      let shape = Grid<Double>.common(both, condition.shape)
    else { return nil }
    try charge(shape)
    let x = a.grid.expanded(to: shape).elements, y = b.grid.expanded(to: shape).elements
    let isTrue = condition.grid.expanded(to: shape).elements
    return KnownTensor(
      Grid(shape: shape, elements: isTrue.indices.map { isTrue[$0] != 0 ? x[$0] : y[$0] }), a.kind)
  }

  private func range(_ inputs: [KnownTensor?]) throws(VDSQError) -> KnownTensor? {
    guard inputs.count == 3, let start = inputs[0]?.scalar, let limit = inputs[1]?.scalar,
      let step = inputs[2]?.scalar, step != 0, start.isFinite, limit.isFinite, step.isFinite
    else { return nil }
    let count = max(0, ((limit - start) / step).rounded(.up))
    guard count < 0x1p20 else { return nil }
    try charge([Int(count)])
    let values = (0..<Int(count)).map { start + Double($0) * step }
    return KnownTensor(Grid(shape: [values.count], elements: values), inputs[0]!.kind)
  }

  private func filled(_ node: ONNXNode, _ shape: KnownTensor) throws(VDSQError) -> KnownTensor? {
    guard let lengths = shape.integers, lengths.count <= 8 else { return nil }
    try charge(lengths)
    let tensor = try node.tensors["value"].flatMap { (tensor) throws(VDSQError) in
      try tensor.known(atMost: 1)
    }
    let count = lengths.reduce(1, *)
    let value = tensor?.values.first ?? 0
    return KnownTensor(
      Grid(shape: lengths, elements: [Double](repeating: value, count: count)),
      tensor?.kind ?? .float)
  }

  private func cumulated(
    _ node: ONNXNode, _ values: KnownTensor, _ axisInput: KnownTensor?
  ) throws(VDSQError) -> KnownTensor? {
    guard let wanted = axisInput?.integers?.first, let axis = axis(wanted, of: values.shape),
      node.integer("exclusive") ?? 0 == 0, node.integer("reverse") ?? 0 == 0
    else { return nil }
    try charge(values.shape)
    var elements = values.values
    let step = values.shape[(axis + 1)...].reduce(1, *)
    for i in elements.indices where i / step % values.shape[axis] > 0 {
      elements[i] += elements[i - step]
    }
    return KnownTensor(Grid(shape: values.shape, elements: elements), values.kind)
  }

  private func reduced(
    _ node: ONNXNode, _ values: KnownTensor, _ axesInput: KnownTensor?
  ) throws(VDSQError) -> KnownTensor? {
    let wanted = node.list("axes") ?? axesInput?.integers ?? Array(values.shape.indices)
    guard let axes = places(wanted, within: values.shape.count) else { return nil }
    var result = values.grid
    for axis in Set(axes).sorted(by: >) {
      try charge(result.shape)
      let length = result.shape[axis], inner = result.shape[(axis + 1)...].reduce(1, *)
      var shape = result.shape
      shape[axis] = 1
      guard length > 0 else { return nil }
      var elements: [Double] = []
      for outer in 0..<shape[..<axis].reduce(1, *) {
        for i in 0..<inner {
          let parts = (0..<length).map { result.elements[(outer * length + $0) * inner + i] }
          switch node.operation {
          case "ReduceSum": elements.append(parts.reduce(0, +))
          case "ReduceMax": elements.append(parts.max()!)
          case "ReduceMin": elements.append(parts.min()!)
          default: elements.append(parts.reduce(1, *))
          }
        }
      }
      result = Grid(shape: shape, elements: elements)
    }
    if node.integer("keepdims") ?? 1 == 0 {
      result = result.reshaped(
        result.shape.indices.filter { !axes.contains($0) }.map { result.shape[$0] })
    }
    return KnownTensor(result, values.kind)
  }

  private func gatheredElements(
    _ node: ONNXNode, _ values: KnownTensor, _ indices: KnownTensor?
  ) throws(VDSQError) -> KnownTensor? {
    guard let indices, indices.shape.count == values.shape.count,
      let axis = axis(node.integer("axis") ?? 0, of: values.shape),
      let places = places(indices.integers, within: values.shape[axis]),
      values.shape.indices.allSatisfy({ $0 == axis || indices.shape[$0] <= values.shape[$0] })
    else { return nil }
    try charge(indices.shape)
    let strides = Grid<Double>.strides(values.shape), own = Grid<Double>.strides(indices.shape)
    let elements = places.indices.map { (i: Int) -> Double in
      var place = 0
      for other in strides.indices {
        let index = other == axis ? places[i] : i / own[other] % indices.shape[other]
        place += index * strides[other]
      }
      return values.values[place]
    }
    return KnownTensor(Grid(shape: indices.shape, elements: elements), values.kind)
  }

  private func gatheredByIndex(
    _ node: ONNXNode, _ values: KnownTensor, _ inputs: [KnownTensor?]
  ) throws(VDSQError) -> KnownTensor? {
    guard node.integer("batch_dims") ?? 0 == 0, inputs.count == 2, let indices = inputs[1],
      let all = indices.integers, let depth = indices.shape.last, depth >= 1,
      depth <= values.shape.count
    else { return nil }
    let shape = indices.shape.dropLast() + values.shape[depth...]
    try charge(Array(shape))
    let inner = values.shape[depth...].reduce(1, *)
    var elements: [Double] = []
    for i in 0..<indices.shape.dropLast().reduce(1, *) {
      var place = 0
      for axis in 0..<depth {
        guard let index = places([all[i * depth + axis]], within: values.shape[axis])?.first else {
          return nil
        }
        place = place * values.shape[axis] + index
      }
      elements += values.values[place * inner..<(place + 1) * inner]
    }
    return KnownTensor(Grid(shape: Array(shape), elements: elements), values.kind)
  }

  private func triangle(
    _ node: ONNXNode, _ values: KnownTensor, _ offset: KnownTensor?
  ) throws(VDSQError) -> KnownTensor? {
    guard values.shape.count >= 2 else { return nil }
    let columns = values.shape.last!, rows = values.shape[values.shape.count - 2]
    let shift = offset?.integers?.first ?? 0
    guard Double(shift).magnitude < 0x1p20 else { return nil }
    let isUpper = node.integer("upper") ?? 1 != 0
    try charge(values.shape)
    var elements = values.values
    for i in elements.indices {
      let distance = i % columns - i / columns % rows - shift
      if isUpper ? distance < 0 : distance > 0 { elements[i] = 0 }
    }
    return KnownTensor(Grid(shape: values.shape, elements: elements), values.kind)
  }

  /// Operations that only arrange elements anew.
  private func arranged(
    _ node: ONNXNode, _ first: KnownTensor, _ inputs: [KnownTensor?]
  ) throws(VDSQError) -> [KnownTensor]? {
    let values = inputs.map { input -> GraphValue in input.map { .known($0) } ?? .absent }
    func result(_ grid: Grid<Double>) -> [KnownTensor] { [KnownTensor(grid, first.kind)] }
    switch node.operation {
    case "Reshape", "Squeeze", "Unsqueeze", "Flatten":
      return try viewShape(node, values, of: first.shape).map {
        result(first.grid.reshaped($0))
      }
    case "Transpose":
      let order = node.list("perm") ?? first.shape.indices.reversed()
      guard order.sorted() == Array(first.shape.indices) else { return nil }
      try charge(first.shape)
      return result(first.grid.transposed(order))
    case "Expand":
      guard inputs.count == 2, let wanted = inputs[1]?.integers, wanted.count <= 8,
        let shape = Grid<Double>.common(first.shape, wanted)
      else { return nil }
      try charge(shape)
      return result(first.grid.expanded(to: shape))
    case "Gather":
      guard inputs.count == 2, let indices = inputs[1],
        let axis = axis(node.integer("axis") ?? 0, of: first.shape),
        let places = places(indices.integers, within: first.shape[axis])
      else { return nil }
      var shape = first.shape
      shape.replaceSubrange(axis...axis, with: indices.shape)
      try charge(shape)
      return result(first.grid.gathered(places, axis: axis).reshaped(shape))
    case "Slice":
      guard let slices = try slices(node, values, of: first.shape) else { return nil }
      try charge(first.shape)
      var grid = first.grid
      for (axis, places) in slices { grid = grid.gathered(places, axis: axis) }
      return result(grid)
    case "Tile":
      guard inputs.count == 2, let repeats = inputs[1]?.integers,
        repeats.count == first.shape.count, repeats.allSatisfy({ (0...1024).contains($0) })
      else { return nil }
      var grid = first.grid
      for (axis, count) in repeats.enumerated() {
        try charge(grid.shape + [count])
        grid = Grid.joined([Grid<Double>](repeating: grid, count: max(count, 1)), axis: axis)
        if count == 0 { return nil }
      }
      return result(grid)
    default: return nil
    }
  }
}
