internal import DTMSystem

/// The items of a plan that stand in a journal, one behind the other.
///
/// What has no record is done with the new directory that holds it, and is not here: how much memory
/// a journal takes follows from its length, not from the numbers in it.
struct RecordedItems {
  private(set) var items: [RestorePlan.Item] = []
  /// By the items' numbers.
  private var indices: [Int: Int] = [:]

  /// Adds the next item; `container` is the number of the item that it is built in.
  ///
  /// False, and not added, where its number is not greater than the one before, or what it is built in
  /// is no new directory above it.
  mutating func append(_ item: RestorePlan.Item, container: Int?) -> Bool {
    guard let number = item.number, number > items.last?.number ?? -1 else { return false }
    var item = item
    if let container {
      guard let index = indices[container], items[index].container == nil,
        items[index].action.builds, item.key.isBeneath(items[index].key)
      else { return false }
      item.container = index
    }
    guard JournalEncoding.needsRecord(item) else { return false }
    indices[number] = items.count
    items.append(item)
    return true
  }

  /// Where the item with a number stands; nil for one that has no record.
  func index(of number: Int) -> Int? { indices[number] }
}
