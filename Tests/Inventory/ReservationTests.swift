import Shared
import Testing

@testable import InventoryService

@Suite("A reservation")
struct ReservationTests {
    private func reservation(_ state: Reservation.State) -> Reservation {
        Reservation(
            id: "RES-1", key: "k", productID: "1", quantity: 2, state: state, expiresAt: UnixTime(milliseconds: 1000))
    }

    @Test(
        "takes each event in each state",
        arguments: [
            (Reservation.State.reserved, Reservation.Event.confirm, Reservation.Action.sell, .confirmed),
            (.reserved, .release, .giveBack, .released), (.reserved, .expire, .giveBack, .expired),
            (.confirmed, .confirm, .none, .confirmed), (.confirmed, .release, .refuse, .confirmed),
            (.confirmed, .expire, .refuse, .confirmed), (.released, .confirm, .refuse, .released),
            (.released, .release, .none, .released), (.released, .expire, .none, .released),
            (.expired, .confirm, .sellFromShelf, .confirmed), (.expired, .release, .note, .released),
            (.expired, .expire, .none, .expired),
        ] as [(Reservation.State, Reservation.Event, Reservation.Action, Reservation.State)])
    func transition(
        from: Reservation.State, event: Reservation.Event, action: Reservation.Action, to: Reservation.State
    ) {
        var reservation = reservation(from)
        let taken = reservation.event(event, free: 2)
        #expect(taken == action)
        #expect(reservation.state == to)
    }

    @Test("that has expired is sold only while there is enough, and never once it was released")
    func late() {
        var late = reservation(.expired)
        #expect(late.event(.confirm, free: 1) == .refuse && late.state == .expired)
        #expect(late.event(.confirm, free: 2) == .sellFromShelf && late.state == .confirmed)
        #expect(late.event(.confirm, free: 2) == .none && late.event(.release, free: 2) == .refuse)
        var released = reservation(.expired)
        #expect(released.event(.release, free: 2) == .note)
        #expect(released.event(.confirm, free: 2) == .refuse && released.state == .released)
        // Goods that are still reserved are its own, whatever else is free.
        var waiting = reservation(.reserved)
        #expect(waiting.event(.confirm, free: 0) == .sell)
    }

    @Test("is overdue from its last millisecond on, and only while it waits")
    func overdue() {
        #expect(!reservation(.reserved).isOverdue(at: UnixTime(milliseconds: 999)))
        #expect(reservation(.reserved).isOverdue(at: UnixTime(milliseconds: 1000)))
        #expect(!reservation(.confirmed).isOverdue(at: UnixTime(milliseconds: 2000)))
    }
}
