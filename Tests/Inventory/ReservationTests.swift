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
            (.expired, .confirm, .refuse, .expired), (.expired, .release, .none, .expired),
            (.expired, .expire, .none, .expired),
        ] as [(Reservation.State, Reservation.Event, Reservation.Action, Reservation.State)])
    func transition(
        from: Reservation.State, event: Reservation.Event, action: Reservation.Action, to: Reservation.State
    ) {
        var reservation = reservation(from)
        let taken = reservation.event(event)
        #expect(taken == action)
        #expect(reservation.state == to)
    }

    @Test("is overdue from its last millisecond on, and only while it waits")
    func overdue() {
        #expect(!reservation(.reserved).isOverdue(at: UnixTime(milliseconds: 999)))
        #expect(reservation(.reserved).isOverdue(at: UnixTime(milliseconds: 1000)))
        #expect(!reservation(.confirmed).isOverdue(at: UnixTime(milliseconds: 2000)))
    }
}
