/// Reads pages, and keeps the ones read of late decoded.
///
/// Not thread-safe, as the objects that it reads are not.
final class PageSource {
  /// Pages in each of the two generations; a page takes some 20 KB.
  private static let generationCount = 32

  let objects: any ObjectReader
  private var young: [ObjectID: Page] = [:]
  private var old: [ObjectID: Page] = [:]

  init(_ objects: any ObjectReader) {
    self.objects = objects
  }

  /// The page of an id.
  ///
  /// `isKept`: whether it is likely to be asked for again; a walk over all leaves passes false.
  func page(_ id: ObjectID, isKept: Bool = true) throws(RepositoryError) -> Page {
    if let page = young[id] { return page }
    let page: Page
    if let known = old[id] {
      page = known
    } else {
      page = try Page(decoding: objects.read(id, .page), id: id)
      if !isKept { return page }
    }
    if young.count >= Self.generationCount {
      old = young
      young = [:]
    }
    young[id] = page
    return page
  }

  /// The child at an index of a page, held against what the page says of it.
  func child(
    of parent: InnerPage, _ index: Int, isKept: Bool = true
  ) throws(RepositoryError) -> Page {
    let id = parent.children[index]
    let page = try page(id, isKept: isKept)
    let keys = page.keys
    guard page.level == parent.level - 1, keys.count > 0,
      page.entryTotal == parent.entries[index], page.fileByteTotal == parent.fileBytes[index],
      keys.compare(0, parent.keys, index) == 0,
      index + 1 == parent.keys.count || keys.compare(keys.count - 1, parent.keys, index + 1) < 0
    else {
      throw RepositoryError(
        .corrupt, "page \(id) does not fit what its parent page \(parent.id) says", object: id)
    }
    return page
  }
}
