/// Elements in rows of rows: the values of a tensor, or the places of its elements in another.
struct Grid<Element> {
  private(set) var shape: [Int]
  private(set) var elements: [Element]

  /// - Precondition: there are as many elements as the shape says.
  init(shape: [Int], elements: [Element]) {
    precondition(shape.reduce(1, *) == elements.count)
    self.shape = shape
    self.elements = elements
  }

  init(_ element: Element) { self.init(shape: [], elements: [element]) }

  /// The distance between neighbours of each axis.
  static func strides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  /// The grid whose element at each index is that at the sum of `strides` times the index.
  private func picked(_ shape: [Int], _ strides: [Int], from first: Int = 0) -> Grid {
    let count = shape.reduce(1, *)
    var result: [Element] = []
    result.reserveCapacity(count)
    guard count > 0 else { return Grid(shape: shape, elements: []) }
    var index = [Int](repeating: 0, count: shape.count)
    var place = first
    for _ in 0..<count {
      result.append(elements[place])
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < shape[axis] { break }
        place -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return Grid(shape: shape, elements: result)
  }

  /// - Parameter shape: of as many elements.
  func reshaped(_ shape: [Int]) -> Grid { Grid(shape: shape, elements: elements) }

  /// - Parameter order: each axis once.
  func transposed(_ order: [Int]) -> Grid {
    let strides = Self.strides(shape)
    return picked(order.map { shape[$0] }, order.map { strides[$0] })
  }

  /// Repeats axes of length one. `Self.common` says whether the shape is possible.
  func expanded(to wanted: [Int]) -> Grid {
    if shape == wanted { return self }
    let strides = Self.strides(shape)
    let missing = wanted.count - shape.count
    return picked(
      wanted,
      wanted.indices.map { axis in
        axis < missing || shape[axis - missing] == 1 ? 0 : strides[axis - missing]
      })
  }

  /// The shape that two grids are expanded to; nil if there is none.
  static func common(_ a: [Int], _ b: [Int]) -> [Int]? {
    var shape = a.count >= b.count ? a : b
    let short = a.count >= b.count ? b : a
    let missing = shape.count - short.count
    for (axis, length) in short.enumerated() {
      let other = shape[missing + axis]
      guard length == other || length == 1 || other == 1 else { return nil }
      shape[missing + axis] = other == 1 ? length : other
    }
    return shape
  }

  /// The elements at some places of an axis.
  func gathered(_ places: [Int], axis: Int) -> Grid {
    let inner = shape[(axis + 1)...].reduce(1, *)
    let outer = shape[..<axis].reduce(1, *)
    var result: [Element] = []
    result.reserveCapacity(outer * places.count * inner)
    for i in 0..<outer {
      for place in places {
        let first = (i * shape[axis] + place) * inner
        result += elements[first..<first + inner]
      }
    }
    var shape = shape
    shape[axis] = places.count
    return Grid(shape: shape, elements: result)
  }

  /// Grids one after another along an axis. Other axes must agree.
  static func joined(_ parts: [Grid], axis: Int) -> Grid {
    var shape = parts[0].shape
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let outer = shape[..<axis].reduce(1, *)
    var result: [Element] = []
    for i in 0..<outer {
      for part in parts {
        let length = part.shape[axis...].reduce(1, *)
        result += part.elements[i * length..<(i + 1) * length]
      }
    }
    return Grid(shape: shape, elements: result)
  }

  func map<Other>(_ body: (Element) -> Other) -> Grid<Other> {
    Grid<Other>(shape: shape, elements: elements.map(body))
  }
}
