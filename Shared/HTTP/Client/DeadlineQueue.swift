/// Something that must be over by an instant. A ``DeadlineQueue`` keeps its place in it in `deadlineIndex`.
protocol DeadlineEntry: AnyObject {
    var deadline: ContinuousClock.Instant { get }
    var deadlineIndex: Int? { get set }
}

/// What is under way, the earliest deadline first: a binary heap whose entries know their index, so that any of
/// them is taken out in O(log n) when it ends before its deadline, as nearly all do.
struct DeadlineQueue<Entry: DeadlineEntry> {
    private var heap: [Entry] = []

    var isEmpty: Bool { heap.isEmpty }
    var earliest: Entry? { heap.first }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        entry.deadlineIndex = heap.count - 1
        moveUp(from: heap.count - 1)
    }

    /// Takes `entry` out; does nothing when it is not in the queue.
    mutating func remove(_ entry: Entry) {
        guard let index = entry.deadlineIndex else { return }
        entry.deadlineIndex = nil
        let last = heap.removeLast()
        guard last !== entry else { return }
        heap[index] = last
        last.deadlineIndex = index
        moveUp(from: index)
        moveDown(from: last.deadlineIndex ?? index)
    }

    private mutating func moveUp(from start: Int) {
        var child = start
        while child > 0, heap[child].deadline < heap[(child - 1) / 2].deadline {
            exchange(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func moveDown(from start: Int) {
        var parent = start
        while let child = earlierChild(of: parent), heap[child].deadline < heap[parent].deadline {
            exchange(child, parent)
            parent = child
        }
    }

    private func earlierChild(of parent: Int) -> Int? {
        let (left, right) = (2 * parent + 1, 2 * parent + 2)
        guard left < heap.count else { return nil }
        return right < heap.count && heap[right].deadline < heap[left].deadline ? right : left
    }

    private mutating func exchange(_ first: Int, _ second: Int) {
        heap.swapAt(first, second)
        heap[first].deadlineIndex = first
        heap[second].deadlineIndex = second
    }
}
