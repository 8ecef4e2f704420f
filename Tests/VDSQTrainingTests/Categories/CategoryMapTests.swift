import Foundation
import TestSupport
import Testing
import VDSQFormat
import VDSQKernels

import VDSQTraining

/// Regions of categories against numpy and scipy (Tools/reference/make_categories.py).
@Suite struct CategoryMapTests {
  private struct Golden: Decodable {
    struct Rule: Decodable {
      let radius, decay: Float
      let probabilities: [Float]
    }
    struct Category: Decodable {
      let members: [Int]
      let median: Float
      let distances, hull: [Float]
      let rules: [String: Rule]
    }
    let labels: [String]
    let targets: [Int]
    let states: [Float]
    let dimensions: Int
    let categories: [String: Category]
    let shares, points: [Float]
    let nearest: [[Int]]
  }

  private let golden: Golden
  private let examples: Examples
  private let arithmetic = MatrixArithmetic(kernels: KernelTable.available()[0])

  init() throws {
    golden = try Fixtures.json("categories.json", as: Golden.self)
    examples = Examples(
      FeatureMatrix(golden.states, columns: golden.dimensions), targets: golden.targets)
  }

  private func map(
    _ rule: ReconsiderationFilter.RadiusRule, probability: Float = 0, limit: Int? = nil,
    logOdds: [Float]? = nil, listsAll: Bool = false
  ) throws -> CategoryMap {
    var options = CategoryMap.Options()
    (options.radius, options.probability, options.limit) = (rule, probability, limit)
    options.neighbours = 5
    options.listsAll = listsAll
    return try CategoryMap(
      examples, labels: golden.labels, logOdds: logOdds, options: options, arithmetic: arithmetic)
  }

  private func isClose(_ a: Float?, _ b: Float) -> Bool {
    guard let a else { return false }
    return (a - b).magnitude <= 1e-4 * max(b.magnitude, 1e-3)
  }

  @Test(arguments: ReconsiderationFilter.RadiusRule.allCases)
  func filtersAreThoseOfTheReference(_ rule: ReconsiderationFilter.RadiusRule) throws {
    let map = try map(rule)
    #expect(map.categories.map(\.name) == ["games", "net", "net/mail", "net/web", "text"])
    #expect(map.categories.map(\.depth) == [0, 0, 1, 1, 0])
    for category in map.categories {
      let expected = try #require(golden.categories[category.name])
      let rule = try #require(expected.rules[rule.rawValue])
      let filter = try #require(category.filter)
      #expect(category.members == expected.members)
      #expect(isClose(filter.radius, rule.radius) && isClose(filter.median, expected.median))
      #expect(isClose(filter.decay, rule.decay))
      for (distance, probability) in zip(expected.distances, rule.probabilities) {
        #expect((filter.probability(distance) - probability).magnitude < 1e-2)
      }
    }
  }

  @Test func doubtsAreThoseOfTheReference() throws {
    let map = try map(.mean, listsAll: true)
    #expect(map.doubts.map(\.item.item).sorted() == Array(golden.targets.indices))
    for doubt in map.doubts {
      let item = doubt.item.item
      let label = golden.labels[golden.targets[item]]
      let own = try #require(golden.categories[label])
      #expect(isClose(doubt.item.own?.distance, own.distances[item]))
      #expect(isClose(doubt.ownHull, own.hull[item]), "\(doubt.ownHull ?? -1), \(own.hull[item])")
      // The best of the other labels, and no category that the item belongs to.
      func distance(_ name: String) -> Float { golden.categories[name]!.distances[item] }
      let best = golden.labels.filter { $0 != label }.min { distance($0) < distance($1) }!
      let other = try #require(doubt.item.other)
      #expect(map.categories[other.category].name == best)
      #expect(isClose(other.distance, golden.categories[best]!.distances[item]))
      #expect(isClose(doubt.otherHull, golden.categories[best]!.hull[item]))
      #expect(
        doubt.ownNeighbours
          == golden.nearest[item].count { golden.targets[$0] == golden.targets[item] })
      #expect(
        doubt.otherNeighbours
          == golden.nearest[item].count { golden.labels[golden.targets[$0]] == best })
      #expect((doubt.item.score - (distance(label) - distance(best))).magnitude < 1e-4)
    }
    let scores = map.doubts.map(\.item.score)
    #expect(scores == scores.sorted(by: >))
    #expect(map.doubts.map { $0.reason == .moves } == scores.map { $0 > 0 })
  }

  @Test func planeIsThatOfTheReference() throws {
    let plane = try map(.mean).plane
    #expect(isClose(plane.shares.x, golden.shares[0]) && isClose(plane.shares.y, golden.shares[1]))
    let points = plane.points.flatMap { [$0.x, $0.y] }
    #expect(relativeError(points, golden.points) < 1e-4)
  }

  @Test func exchangedItemsComeFirst() throws {
    let first = try map(.mean, probability: 50).doubts.prefix(2).map(\.item.item)
    #expect(Set(first) == [5, 30])
  }

  /// With log-odds, the order is that of the sum of both ranks.
  @Test func logOddsTakePartInTheOrder() throws {
    let plain = try map(.mean, listsAll: true).doubts.map(\.item.item)
    let last = try #require(plain.last)
    var odds = [Float](repeating: 3, count: golden.targets.count)
    odds[last] = -9
    let both = try map(.mean, logOdds: odds, listsAll: true).doubts
    #expect(try #require(both.firstIndex { $0.item.item == last }) < plain.count - 1)
    #expect(both.first { $0.item.item == last }?.logOdds == -9)
    #expect(
      try map(.mean, limit: 3, listsAll: true).doubts.map(\.item.item) == Array(plain.prefix(3)))
  }

  @Test func aSingleLabelIsRefused() {
    let one = Examples(examples.features, targets: golden.targets.map { _ in 0 })
    #expect {
      try CategoryMap(one, labels: golden.labels, arithmetic: arithmetic)
    } throws: {
      ($0 as? VDSQError)?.category == .usage
    }
  }

  /// A category of one item has a place, but no region; labels without items have neither.
  @Test func smallCategoriesHaveNoRegion() throws {
    let few = Examples(
      FeatureMatrix(Array(golden.states.prefix(30)), columns: 10), targets: [0, 0, 2])
    let map = try CategoryMap(
      few, labels: ["a", "empty", "b/c"], arithmetic: arithmetic)
    #expect(map.categories.map(\.name) == ["a", "b", "b/c"])
    #expect(map.categories.map { $0.filter == nil } == [false, true, true])
  }
}
