import Testing

import VDSQTraining

@Suite struct RecentStatesTests {
  private func rows(_ numbers: [Float]) -> [Float] { numbers.flatMap { [$0, -$0] } }

  @Test func theOldestMakeRoom() {
    var states = RecentStates(dimensions: 2, capacity: 3)
    states.add(rows([1, 2]))
    #expect(states.count == 2 && states.rows == rows([1, 2]))
    states.add(rows([3, 4, 5, 6]))
    #expect(states.count == 3 && states.rows == rows([4, 5, 6]))
    states.add(rows([7]))
    #expect(states.rows == rows([5, 6, 7]))
  }

  @Test func repeatedStatesCountOnce() {
    var states = RecentStates(dimensions: 2, capacity: 3)
    states.add(rows([1, 1, 2, 1, 3, 2]))
    #expect(states.rows == rows([1, 2, 3]))
    // One that was replaced may come again.
    states.add(rows([4, 1]))
    #expect(states.rows == rows([3, 4, 1]))
  }
}
