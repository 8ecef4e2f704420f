import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQKernels
import VDSQReports
import VDSQTraining

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct PageTests {
  /// A page as XML: the doctype and the tags that HTML leaves open are closed first.
  private func document(_ html: String) throws -> XMLDocument {
    var text = html.replacingOccurrences(of: "<!doctype html>\n", with: "")
    text = text.replacingOccurrences(
      of: "<meta ([^>]*)>", with: "<meta $1/>", options: .regularExpression)
    text = text.replacingOccurrences(of: " hidden>", with: " hidden=\"\">")
    text = text.replacingOccurrences(
      of: "(?s)<(style|script)([^>]*)>(.*?)</\\1>", with: "<$1$2><![CDATA[$3]]></$1>",
      options: .regularExpression)
    return try XMLDocument(data: Data(text.utf8))
  }

  private func texts(_ page: XMLDocument, _ path: String) throws -> [String] {
    try page.nodes(forXPath: path).map { $0.stringValue ?? "" }
  }

  @Test func conversionPageShowsEveryTensorThatWasRounded() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a<b>&\"c\".vdsq")
    let converter = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8)
    let summary = try converter.write(
      to: path, replace: false, progress: Progress(total: converter.totalBytes) { _ in })
    let page = try document(ConversionPage(try Container(path: path)).html)
    #expect(try texts(page, "//h1") == [path])
    let changed = summary.tensors.filter { $0.error.maxAbs > 0 }.sorted {
      $0.error.cosine < $1.error.cosine
    }
    #expect(!changed.isEmpty)
    #expect(try texts(page, "//tbody/tr/td[1]") == changed.map(\.name))
    #expect(
      try texts(page, "//tbody/tr/td[6]") == changed.map { fixed(Double($0.error.cosine), 6) })
    // A bar for each section, and a dot for each rounded matrix of a layer.
    let drawn = changed.filter { $0.name.hasPrefix("layer.") }
    #expect(try page.nodes(forXPath: "//circle").count == drawn.count)
    for section in summary.sections {
      #expect(try texts(page, "//svg[@aria-label='size by section']/text").contains(section.name))
    }
  }

  @Test func evaluationPageShowsFiguresAndConfusion() throws {
    let names = ["a <b>", "c & d"]
    let rows = [
      EvaluationRow(
        shots: 0, method: "zero-shot", names: names,
        evaluations: [Evaluation([3, 1, 2, 2], labels: 2, probability: 0.5)]),
      EvaluationRow(
        shots: 4, method: "joint", names: names,
        evaluations: [
          Evaluation([4, 0, 1, 3], labels: 2, probability: 0.75),
          Evaluation([2, 2, 0, 4], labels: 2, probability: 0.75),
        ]),
    ]
    let comparison = try EvaluationComparison(with: "<other>", rows, [rows[0]])
    let page = try document(
      EvaluationPage(title: "x & <y>", rows: rows, comparedWith: comparison).html)
    #expect(try texts(page, "//head/title") == ["x & <y>"])
    // scipy.stats.binomtest(5, 8).proportion_ci(method="wilson")
    #expect(
      try texts(page, "//table[@id='figures']/tbody/tr[1]/td") == [
        "0", "zero-shot", "0.6250", "0.0000", "0.3057\u{2013}0.8632", "0.6190", "0.1250",
      ])
    #expect(
      try texts(page, "//table[@id='figures']/tbody/tr[2]/td[3]") == [
        fixed(rows[1].accuracy.mean, 4)
      ])
    #expect(try texts(page, "//h2").contains("Compared with <other>"))
    #expect(
      try texts(page, "//table[@id='differences']/tbody/tr/td[5]") == ["+0.0000", "+0.1875"])
    #expect(try page.nodes(forXPath: "//svg[@aria-label='learning curve']/circle").count == 2)
    #expect(
      try texts(page, "//table[@id='labels']/tbody/tr/td[1]") == names + [
        "macro mean", "weighted mean",
      ])
    let matrix = "//table[@aria-label='confusion matrix']"
    // Columns and rows have names.
    #expect(try texts(page, "\(matrix)/thead/tr/th/span") == names)
    #expect(try texts(page, "\(matrix)/tbody/tr/th") == names)
    // The sum of the last row's seeds: 6 and 7 of 8 texts are classified correctly.
    #expect(
      try texts(page, "\(matrix)/tbody/tr/td/@title") == [
        "a <b> predicted as a <b>: 75.0%, 6 of 8", "a <b> predicted as c & d: 25.0%, 2 of 8",
        "c & d predicted as a <b>: 12.5%, 1 of 8", "c & d predicted as c & d: 87.5%, 7 of 8",
      ])
    #expect(
      try texts(page, "//table[@id='confusions']/tbody/tr/td") == [
        "a <b>", "c & d", "2", "25.0%", "c & d", "a <b>", "1", "12.5%",
      ])
    // A bar, a gap and a count for the bin of all answers.
    #expect(
      try texts(page, "//svg[@aria-label='reliability diagram']/rect/title")
        == [String](repeating: "probability 0.750, accuracy 0.813: 16 answers", count: 3))
  }

  @Test func categoriesPageShowsRegionsAndItems() throws {
    let states: [Float] = [0, 0, 1, 0, 0, 1, 5, 5, 6, 5, 5.5, 5.5]
    let names = ["a/<b>", "c & d"]
    let examples = Examples(FeatureMatrix(states, columns: 2), targets: [0, 0, 0, 1, 1, 0])
    let items = examples.targets.enumerated().map { i, target in
      Examples.Example(text: "text <\(i)>", label: names[target])
    }
    let map = try CategoryMap(
      examples, labels: names, arithmetic: MatrixArithmetic(kernels: KernelTable.available()[0]))
    let page = try document(
      CategoriesPage(title: "x & <y>", report: CategoriesReport(map, of: items)).html)
    #expect(
      try texts(page, "//table[@id='categories']/tbody/tr/td[1]") == ["a", "a/<b>", "c & d"])
    #expect(try texts(page, "//table[@id='categories']/tbody/tr/td[2]") == ["4", "4", "2"])
    #expect(try texts(page, "//table[@id='items']/tbody/tr[1]/td[12]") == ["text <5>"])
    #expect(try texts(page, "//table[@id='items']/tbody/tr[1]/td[1]") == ["moves"])
    #expect(
      try texts(page, "//svg/@aria-label")
        == ["the region of a", "the region of a/<b>", "the region of c & d"])
    #expect(
      try texts(page, "//svg[@aria-label='the region of a/<b>']/circle/title")
        .contains("line 6: moves, c & d"))
  }

  /// A cell of a matrix with many labels is a fixed size, whatever their number.
  @Test func manyLabelsHaveNamedColumns() throws {
    let names = (0..<150).map { "label \($0)" }
    let confusion = (0..<150 * 150).map { $0 / 150 == $0 % 150 ? 3 : $0 % 151 == 1 ? 1 : 0 }
    let row = EvaluationRow(
      shots: nil, method: "adapter", names: names,
      evaluations: [Evaluation(confusion, labels: 150, probability: 1)])
    let page = try document(EvaluationPage(title: "t", rows: [row]).html)
    let matrix = "//table[@aria-label='confusion matrix']"
    #expect(try texts(page, "\(matrix)/thead/tr/th/span") == names)
    #expect(try page.nodes(forXPath: "\(matrix)/tbody/tr/td").count == 150 * 150)
    #expect(try page.nodes(forXPath: "//table[@id='confusions']/tbody/tr").count == 20)
  }

  @Test func picturesOfNothingAreWellFormed() throws {
    let row = EvaluationRow(
      shots: nil, method: "adapter", names: ["a"],
      evaluations: [Evaluation([0], labels: 1, probability: 1)])
    let page = try document(EvaluationPage(title: "", rows: [row]).html)
    #expect(try page.nodes(forXPath: "//svg[@aria-label='learning curve']").isEmpty)
    #expect(try page.nodes(forXPath: "//svg[@aria-label='reliability diagram']/rect").isEmpty)
    #expect(
      try page.nodes(forXPath: "//table[@aria-label='confusion matrix']/tbody/tr/td").count == 1)
    #expect(try page.nodes(forXPath: "//table[@id='confusions']").isEmpty)
  }

  @Test func aPageIsNotReplacedUnasked() throws {
    let folder = try TemporaryFolder()
    let page = EvaluationPage(title: "t", rows: [])
    try page.write(to: folder.path("a.html"), replace: false)
    #expect(throws: VDSQError.self) { try page.write(to: folder.path("a.html"), replace: false) }
    try page.write(to: folder.path("a.html"), replace: true)
    #expect(try String(contentsOfFile: folder.path("a.html"), encoding: .utf8) == page.html)
  }
}
