/// Slots in the order in which they were added, any of which leaves in O(1): with one timeout for all, the first to be
/// sent is the first to be overdue, and no heap is needed.
struct SlotLine {
    private struct Links {
        var before = -1
        var after = -1
        var isIn = false
    }

    private var links: [Links] = []
    /// -1 when nobody is in line.
    private(set) var first = -1
    private var last = -1

    /// `slot` must not be in line.
    mutating func append(_ slot: Int) {
        while links.count <= slot { links.append(Links()) }
        links[slot] = Links(before: last, after: -1, isIn: true)
        if last >= 0 { links[last].after = slot } else { first = slot }
        last = slot
    }

    /// Does nothing when `slot` is not in line.
    mutating func remove(_ slot: Int) {
        guard slot < links.count, links[slot].isIn else { return }
        let (before, after) = (links[slot].before, links[slot].after)
        if before >= 0 { links[before].after = after } else { first = after }
        if after >= 0 { links[after].before = before } else { last = before }
        links[slot] = Links()
    }
}
