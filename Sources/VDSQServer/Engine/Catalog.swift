import NIOConcurrencyHelpers

/// The models and adapters that are served at a moment, as every thread may read them.
struct Catalog: Sendable {
  var models: [ServedModel.Description] = []
  var adapters: [ServedAdapter.Description] = []

  func model(_ name: String) -> ServedModel.Description? {
    models.first { $0.name.utf8.elementsEqual(name.utf8) }
  }

  func adapter(_ name: String) -> ServedAdapter.Description? {
    adapters.first { $0.name.utf8.elementsEqual(name.utf8) }
  }
}

/// The newest catalog, which the engine replaces.
final class PublishedCatalog: Sendable {
  private let box = NIOLockedValueBox(Catalog())

  var current: Catalog { box.withLockedValue { $0 } }

  func publish(_ catalog: Catalog) { box.withLockedValue { $0 = catalog } }
}
