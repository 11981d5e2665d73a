/// The deadlines of streams, soonest first: a binary heap. A stream that ends leaves its entry behind, which is dropped when it
/// comes up, or when such entries outnumber the live ones.
struct DeadlineQueue: Sendable {
    struct Entry: Sendable {
        var deadline: Instant
        var stream: StreamID
    }

    private var heap: [Entry] = []

    var first: Entry? { heap.first }

    mutating func insert(_ deadline: Instant, _ stream: StreamID) {
        heap.append(Entry(deadline: deadline, stream: stream))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].deadline < heap[least].deadline { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    /// Drops the entries of streams that are gone, once they are the majority.
    mutating func compact(live: Int, isLive: (StreamID) -> Bool) {
        guard heap.count > 2 * live + 64 else { return }
        // What is left of a sorted array is a heap.
        heap = heap.filter { isLive($0.stream) }.sorted { $0.deadline < $1.deadline }
    }

    mutating func removeAll() {
        heap.removeAll()
    }
}
