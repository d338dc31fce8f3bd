"""Relations of systems and of the entropies of their states."""

import numpy as np
from relation import relation, same

from descent import systems
from descent.dynamics import system as system_module
from descent.information import differential_entropy as entropies

THERMOSTAT = systems.linear_thermostat(0.3, 25.0)


@relation("dynamics.system.state_of", "dynamics.system.index_of")
def a_state_by_names_is_the_state_in_its_order():
    by_name = dict(thermostat=10.0, room=35.0)
    order = [system_module.index_of(THERMOSTAT, name, "varied") for name in by_name]
    same([list(by_name.values())[order.index(i)] for i in (0, 1)], [35.0, 10.0])
    state = system_module.state_of(THERMOSTAT, by_name)
    same(np.ravel(state), np.ravel(system_module.state_of(THERMOSTAT, [35.0, 10.0])))
    same(np.ravel(state), [35.0, 10.0])


@relation("systems.FiniteSystem", "systems.FiniteSystem.step")
def a_finite_system_steps_from_many_states_as_from_each():
    plain = systems.dumb_thermostat()
    thermostat, room = np.divmod(np.arange(9), 3)
    found = np.array(plain.step(thermostat, room))
    each = [plain.step(a, b) for a, b in zip(thermostat, room, strict=True)]
    same(found.T, np.array(each), rtol=0)
    order = [2, 0, 1]  # the room's states by other numbers
    back = np.argsort(order)
    renamed = systems.FiniteSystem(
        plain.thermostat,
        tuple(plain.room[i] for i in order),
        plain.step_thermostat[:, order],
        back[plain.step_room[:, order]],
    )
    other = renamed.step(thermostat, back[room])
    same(other[0], found[0], rtol=0)
    same(np.array(order)[other[1]], found[1], rtol=0)


@relation(
    "information.differential_entropy.entropy_by_quadrature",
    "information.differential_entropy.trapezoidal_density",
    "information.differential_entropy.sum_of_uniforms_entropy",
)
def an_entropy_grows_by_the_logarithm_of_the_unit():
    def numeric(width, other):
        reach = (width + other) / 2
        return entropies.entropy_by_quadrature(
            lambda x: entropies.trapezoidal_density(x, width, other), -reach, reach, 4000
        )

    plain = entropies.sum_of_uniforms_entropy(1.0, 0.5)
    same(entropies.sum_of_uniforms_entropy(0.5, 1.0), plain)
    same(entropies.sum_of_uniforms_entropy(8.0, 4.0), plain + np.log(8))
    same(numeric(1.0, 0.5), plain, atol=1e-5)
    same(numeric(8.0, 4.0), plain + np.log(8), atol=1e-5)
    x = np.linspace(-1, 1, 21)
    here = entropies.trapezoidal_density(x, 1.0, 0.5)
    same(entropies.trapezoidal_density(-8 * x, 4.0, 8.0), here / 8, atol=1e-15)
