/// A first-in, first-out queue over one array; no allocation once it has found its size.
struct FIFO<Element: Sendable>: Sendable {
    private var items: [Element?] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }
    var first: Element? { isEmpty ? nil : items[head] }

    mutating func append(_ element: Element) {
        items.append(element)
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = items[head].take()
        head += 1
        if isEmpty {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 64, head * 2 >= items.count {
            items.removeFirst(head)
            head = 0
        }
        return element
    }

    mutating func removeAll() {
        items.removeAll()
        head = 0
    }

    /// Drops every element that satisfies the predicate. Takes time by the length of the queue.
    mutating func removeAll(where predicate: (Element) -> Bool) {
        items.removeFirst(head)
        head = 0
        items.removeAll { $0.map(predicate) ?? true }
    }
}
