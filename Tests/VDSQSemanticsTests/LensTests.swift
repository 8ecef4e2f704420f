import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

/// The values of a lens, computed again in double precision from the reference's states.
@Suite struct LensTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ name: String, _ weights: Converter.Weights = .fp32) throws -> TextEncoder {
    let path = folder.path("\(name).vdsq")
    let converter = try Converter(
      folder: Fixtures.path("language-models/\(name)"), weights: weights)
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    return try TextEncoder(path: path, options: TextEncoder.Options())
  }

  /// The values of all tokens.
  private func values(_ rows: VocabularyRows, _ model: TextEncoder, _ state: [Float]) -> [Double] {
    let logits = VocabularyLogits(rows: rows, encoder: model, capacity: rows.count)
    var values = [Double](repeating: 0, count: rows.count)
    logits.find(state, temperature: 1) { values[Int($0.id)] = Double($0.value) }
    return values
  }

  private func probabilities(_ values: [Double], _ temperature: Double) -> [Double] {
    let largest = values.max()!
    let powers = values.map { exp(($0 - largest) / temperature) }
    let total = powers.reduce(0, +)
    return powers.map { $0 / total }
  }

  @Test(arguments: [
    ("gpt2", Lens.View.logit), ("gpt2", .basis), ("llama", .logit), ("bert", .basis),
  ])
  func cellsAreTheReferences(_ name: String, _ view: Lens.View) throws {
    let model = try open(name)
    let golden = try LanguageGolden.read(name)[0]
    var options = Lens.Options()
    (options.views, options.tracked, options.temperature) = ([view], [7, 31], 0.2)
    let lens = try Array(golden.text.utf8).withUnsafeBytes {
      try Lens($0, encoder: model, options: options)
    }
    let rows =
      view == .basis ? try VocabularyRows(bases: model) : try VocabularyRows(head: model)
    let temperature = view == .basis ? 0.2 : 1.0
    let d = rows.dimensions, count = golden.ids.count
    func state(_ layer: Int, _ token: Int) -> [Float] {
      let start = (layer * count + token) * d
      return Array(golden.layers![start..<start + d])
    }
    #expect(lens.ids == golden.ids && lens.maps.count == 1)
    #expect(lens.vocabularySize == rows.count)
    for token in 0..<count {
      let last = values(rows, model, state(model.layers, token))
      let lastShares = probabilities(last, temperature)
      let answer = last.indices.max { last[$0] < last[$1] }!
      for layer in 0...model.layers {
        let cell = lens.maps[0].cells[layer][token]
        let own = values(rows, model, state(layer, token))
        let shares = probabilities(own, temperature)
        let entropy = -shares.reduce(0) { $0 + $1 * log($1) }
        let divergence = zip(lastShares, shares).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
        #expect(abs(Double(cell.entropy) - entropy) < 2e-3)
        #expect(abs(Double(cell.divergence) - divergence) < 2e-3 * max(1, divergence))
        for (place, id) in zip([cell.final] + cell.tracked, [answer, 7, 31]) {
          // The states of the reference have five decimals, so near ties may change places.
          let rank = own.count { $0 > own[id] }
          #expect(abs(place.rank - rank) <= 1)
          #expect(abs(Double(place.probability) - shares[id]) < 2e-3)
        }
        if layer == model.layers { #expect(cell.final.rank == 0 && cell.divergence < 1e-4) }
      }
    }
  }

  @Test func viewsAreThoseOfTheModel() throws {
    let model = try open("gpt2", .int8)
    let lens = try Array("hello".utf8).withUnsafeBytes { try Lens($0, encoder: model) }
    #expect(lens.maps.map(\.view) == [.basis, .logit])
    // Ranks agree with the refined order of the closest bases.
    for row in lens.maps[0].cells {
      for cell in row where cell.final.rank < cell.top.count {
        #expect(
          cell.top[cell.final.rank].id == lens.maps[0].cells.last![0].top[0].id || row.count > 1)
      }
    }
    #expect(lens.similarities[0].allSatisfy { $0 == nil })
    #expect(lens.similarities[1].allSatisfy { $0!.magnitude <= 1.0001 })
    var options = Lens.Options()
    options.tracked = [100_000]
    #expect(throws: VDSQError.self) {
      try Array("hello".utf8).withUnsafeBytes { try Lens($0, encoder: model, options: options) }
    }
  }

  /// All values are those of a lookup of all tokens, for more states than share a pass.
  @Test(arguments: [Converter.Weights.int8, .fp16])
  func allScoresAreThoseOfTheLookup(_ weights: Converter.Weights) throws {
    let model = try open("gpt2", weights)
    let rows = try VocabularyRows(bases: model)
    let states = try ["hello", "world", "of", "is", "x", "y", "z", "a", "b", "c"].flatMap {
      try model.vector(of: $0)
    }
    let logits = VocabularyLogits(rows: rows, encoder: model, capacity: 3)
    var scores = [Float](repeating: .nan, count: 10 * rows.count)
    var best = [[Float]](repeating: [], count: 10)
    scores.withUnsafeMutableBufferPointer { scores in
      logits.find(states, count: 10, temperature: 1, scores: scores.baseAddress!) {
        best[$0].append($1.value)
      }
    }
    for index in 0..<10 {
      let own = scores[index * rows.count..<(index + 1) * rows.count]
      #expect(Array(own.sorted(by: >).prefix(3)) == best[index])
      let state = Array(states[index * rows.dimensions..<(index + 1) * rows.dimensions])
      for (id, score) in own.enumerated() {
        #expect((score - logits.cosine(state, id)).magnitude < 0.02)
      }
    }
  }

  @Test func tokensAreNamedExactly() throws {
    let model = try open("gpt2")
    let inside = try NamedToken(" is", of: model, option: "--token")
    #expect(inside.id == model.tokenizer.token(Array(" is".utf8)))
    #expect(inside.note == nil)
    let beginning = try NamedToken("is", of: model, option: "--token")
    #expect(beginning.id == model.tokenizer.token(Array("is".utf8)))
    #expect(beginning.note?.contains("\" is\" is token \(inside.id)") == true)
    // Only the word inside a text is a token.
    let was = try NamedToken(" was", of: model, option: "--token")
    let error = #expect(throws: VDSQError.self) {
      try NamedToken("was", of: model, option: "--token")
    }
    #expect(error?.message.contains("\" was\" is token \(was.id)") == true)
    #expect(try NamedToken("339", of: model, option: "--token").id == 339)
    #expect(throws: VDSQError.self) { try NamedToken("340", of: model, option: "--token") }
    let five = try NamedToken("5", of: model, option: "--token")
    #expect(five.id == model.tokenizer.token([0x35]))
    #expect(five.note?.contains("not the id 5") == true)
  }

  /// Moving the last layer's states towards a basis raises its token's cosine, away lowers it.
  @Test func steeringMovesTowardsABasis() throws {
    let model = try open("gpt2")
    let rows = try VocabularyRows(bases: model)
    let id = Int(model.tokenizer.token(Array(" is".utf8))!)
    let basis = rows.unitRow(id, model.kernels)
    var found: [Float] = []
    for factor: Float in [-2, 0, 2] {
      var directions = SteeringDirections()
      directions.layer = 2
      directions.add(token: " is", factor: factor)
      try model.steer(directions)
      found.append(cosine(try model.vector(of: "hello world"), basis))
    }
    #expect(found[0] < found[1] && found[1] < found[2])
    var sum = SteeringDirections()
    sum.add(vector: [3] + [Float](repeating: 0, count: 39), factor: 0.5, name: "x")
    sum.add(vector: [0, -4] + [Float](repeating: 0, count: 38), factor: 0.25, name: "y")
    let steering = try sum.steering(of: model)
    #expect(steering.layer == 1)
    #expect(steering.shift.prefix(3) == [0.5, -0.25, 0])
    for (vector, word): ([Float], String) in [
      ([1], "1 dimension"), ([Float](repeating: 0, count: 40), "length is 0"),
    ] {
      var wrong = SteeringDirections()
      wrong.add(vector: vector, factor: 1, name: "x")
      let error = #expect(throws: VDSQError.self) { try wrong.steering(of: model) }
      #expect(error?.message.contains(word) == true)
    }
  }
}
