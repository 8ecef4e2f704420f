import VDSQFormat

extension GraphReader {
  /// The results of an operation that only arranges elements of a state anew; nil for others.
  func views(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> [GraphState]? {
    try arrangements(node, inputs)?.map { firstTokens(of: $0) ?? $0 }
  }

  /// The states of first tokens as the vectors of texts; nil if these are others.
  private func firstTokens(of state: GraphState) -> GraphState? {
    guard state.function == nil, state.shape.count == 2, state.shape[0] == texts.count,
      let places = state.places, case .norm = expressions[state.expression],
      shapes[state.expression].count == 3
    else { return nil }
    let width = state.shape[1]
    guard shapes[state.expression][2] == width else { return nil }
    for i in places.indices {
      guard Int(places[i]) == i / width * texts.tokens * width + i % width else { return nil }
    }
    return make(.pooled(state.expression, pooling: "cls"), state.shape)
  }

  private func arrangements(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError)
    -> [GraphState]?
  {
    if node.operation == "Concat" { return try joined(node, inputs).map { [$0] } }
    guard case .state(let state)? = inputs.first else { return nil }
    switch node.operation {
    case "Identity": return [state]
    case "Dropout": return try dropsNothing(inputs) ? [state] : nil
    case "Reshape", "Squeeze", "Unsqueeze", "Flatten":
      guard let shape = try viewShape(node, inputs, of: state.shape) else { return nil }
      if state.places != nil { try charge(shape) }
      return [
        GraphState(
          state.expression, shape, places: state.places, function: state.function)
      ]
    case "Transpose":
      let order = node.list("perm") ?? state.shape.indices.reversed()
      guard order.sorted() == Array(state.shape.indices) else { return nil }
      try charge(state.shape)
      return [state.with(state.grid.transposed(order))]
    case "Expand":
      guard inputs.count == 2, let wanted = try known(inputs[1])?.integers,
        let shape = Grid<Int32>.common(state.shape, wanted)
      else { return nil }
      try charge(shape)
      return [state.with(state.grid.expanded(to: shape))]
    case "Gather":
      guard inputs.count == 2, let indices = try known(inputs[1]),
        let axis = axis(node.integer("axis") ?? 0, of: state.shape),
        let places = places(indices.integers, within: state.shape[axis])
      else { return nil }
      var shape = state.shape
      shape.replaceSubrange(axis...axis, with: indices.shape)
      try charge(shape)
      return [state.with(state.grid.gathered(places, axis: axis).reshaped(shape))]
    case "Slice":
      guard let slices = try slices(node, inputs, of: state.shape) else { return nil }
      try charge(state.shape)
      var grid = state.grid
      for (axis, places) in slices { grid = grid.gathered(places, axis: axis) }
      return [state.with(grid)]
    case "Split":
      guard let axis = axis(node.integer("axis") ?? 0, of: state.shape), !node.outputs.isEmpty
      else { return nil }
      let length = state.shape[axis], count = node.outputs.count
      let listed = inputs.count > 1 ? try known(inputs[1])?.integers : nil
      let equal =
        length % count == 0 ? [Int](repeating: length / count, count: count) : []
      let lengths = node.list("split") ?? listed ?? equal
      guard lengths.count == count, lengths.allSatisfy({ (0...length).contains($0) }),
        lengths.reduce(0, +) == length
      else { return nil }
      let grid = state.grid
      var first = 0
      var parts: [GraphState] = []
      for own in lengths {
        var shape = state.shape
        shape[axis] = own
        try charge(shape)
        parts.append(state.with(grid.gathered(Array(first..<first + own), axis: axis)))
        first += own
      }
      return parts
    default: return nil
    }
  }

  /// Whether a Dropout is not in training.
  func dropsNothing(_ inputs: [GraphValue]) throws(VDSQError) -> Bool {
    guard inputs.count > 2 else { return true }
    if case .absent = inputs[2] { return true }
    return try known(inputs[2])?.scalar == 0
  }

  private func joined(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> GraphState? {
    var states: [GraphState] = []
    for input in inputs {
      guard case .state(let state) = input else { return nil }
      states.append(state)
    }
    let first = states[0]
    guard let axis = axis(node.integer("axis") ?? 0, of: first.shape),
      states.allSatisfy({ other in
        other.expression == first.expression && other.function == first.function
          && other.shape.count == first.shape.count
          && other.shape.indices.allSatisfy { $0 == axis || other.shape[$0] == first.shape[$0] }
      })
    else { return nil }
    for state in states { try charge(state.shape) }
    return first.with(Grid.joined(states.map(\.grid), axis: axis))
  }

  /// An axis that may be counted from the end; nil if there is none.
  func axis(_ axis: Int, of shape: [Int]) -> Int? {
    let place = axis < 0 ? axis + shape.count : axis
    return shape.indices.contains(place) ? place : nil
  }

  /// Indices that may be counted from the end; nil if one is none.
  func places(_ indices: [Int]?, within length: Int) -> [Int]? {
    guard let indices else { return nil }
    var places: [Int] = []
    for index in indices {
      guard index >= -length, index < length else { return nil }
      places.append(index < 0 ? index + length : index)
    }
    return places
  }

  /// The axes of an operation: an attribute, or an input of later opsets.
  func axes(_ node: ONNXNode, _ input: GraphValue?) throws(VDSQError) -> [Int]? {
    if let axes = node.list("axes") { return axes }
    guard let input else { return nil }
    return try known(input)?.integers
  }

  /// The shape that an operation gives to elements in the same order; nil if there is none.
  func viewShape(
    _ node: ONNXNode, _ inputs: [GraphValue], of shape: [Int]
  ) throws(VDSQError) -> [Int]? {
    let count = shape.reduce(1, *)
    switch node.operation {
    case "Reshape":
      guard inputs.count == 2, var wanted = try known(inputs[1])?.integers,
        wanted.count <= Self.mostAxes
      else { return nil }
      for (place, length) in wanted.enumerated() where length == 0 {
        guard node.integer("allowzero") ?? 0 == 0, place < shape.count else { return nil }
        wanted[place] = shape[place]
      }
      if let free = wanted.firstIndex(of: -1) {
        wanted[free] = 1
        let rest = product(wanted)
        guard let rest, rest > 0, count % rest == 0 else { return nil }
        wanted[free] = count / rest
      }
      return product(wanted) == count ? wanted : nil
    case "Flatten":
      let axis = node.integer("axis") ?? 1
      let place = axis < 0 ? axis + shape.count : axis
      guard (0...shape.count).contains(place) else { return nil }
      return [shape[..<place].reduce(1, *), shape[place...].reduce(1, *)]
    case "Squeeze":
      let wanted = try axes(node, inputs.count > 1 ? inputs[1] : nil)
      let axes = wanted ?? shape.indices.filter { shape[$0] == 1 }
      guard axes.count <= shape.count, let places = places(axes, within: shape.count),
        places.allSatisfy({ shape[$0] == 1 })
      else { return nil }
      return shape.indices.filter { !places.contains($0) }.map { shape[$0] }
    case "Unsqueeze":
      guard let axes = try axes(node, inputs.count > 1 ? inputs[1] : nil),
        shape.count + axes.count <= Self.mostAxes,
        let places = places(axes, within: shape.count + axes.count),
        Set(places).count == places.count
      else { return nil }
      var rest = shape[...]
      return (0..<shape.count + axes.count).map { places.contains($0) ? 1 : rest.removeFirst() }
    default: return nil
    }
  }

  private func product(_ shape: [Int]) -> Int? {
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard length >= 0, !overflow else { return nil }
      count = product
    }
    return count
  }

  /// The places that a slice takes of some axes; nil if it is malformed.
  func slices(
    _ node: ONNXNode, _ inputs: [GraphValue], of shape: [Int]
  ) throws(VDSQError) -> [(axis: Int, places: [Int])]? {
    func part(_ place: Int, _ name: String) throws(VDSQError) -> [Int]? {
      if let list = node.list(name) { return list }
      guard inputs.count > place else { return nil }
      return try known(inputs[place])?.integers
    }
    guard let starts = try part(1, "starts"), let ends = try part(2, "ends"),
      starts.count == ends.count
    else { return nil }
    let axes = try part(3, "axes") ?? Array(starts.indices)
    let steps = try part(4, "steps") ?? [Int](repeating: 1, count: starts.count)
    guard axes.count == starts.count, steps.count == starts.count else { return nil }
    var result: [(axis: Int, places: [Int])] = []
    for i in starts.indices {
      guard let axis = axis(axes[i], of: shape), steps[i] >= 1,
        !result.contains(where: { $0.axis == axis })
      else { return nil }
      let length = shape[axis]
      func place(_ value: Int) -> Int {
        min(max(value < 0 && value > -length - 1 ? value + length : value, 0), length)
      }
      let start = place(starts[i]), end = max(start, place(ends[i]))
      result.append((axis, Array(stride(from: start, to: end, by: steps[i]))))
    }
    return result
  }
}
