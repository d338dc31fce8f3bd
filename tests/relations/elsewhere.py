"""Relations that a module's own tests hold: the test, and the functions that it speaks for."""

_CAUSAL = "tests/causal/test_causal.py"
_DYNAMICS, _INFLUENCE = "tests/dynamics/test_adaptive.py", "tests/influence/test_influence.py"
_FINITE = "tests/information/test_finite.py"
_KERNEL = "tests/information/test_kernel.py"
_CONTINUOUS = "tests/information/test_differential_entropy.py"
_SYSTEMS, _LYAPUNOV = "tests/test_systems.py", "tests/lyapunov/test_protocol.py"
_IMAGES = "tests/networks/test_image_patches.py"

HELD = {
    f"{_DYNAMICS}::test_composition": ["dynamics.Flow", "dynamics.tangent.advance"],
    f"{_DYNAMICS}::test_finite_differences_of_abs_are_accepted": ["dynamics.finite_differences"],
    f"{_DYNAMICS}::test_complex_step_of_abs_is_refused_and_named": ["dynamics.complex_step"],
    f"{_SYSTEMS}::test_step_of_a_flow_is_the_classical_scheme": ["dynamics.Flow.step"],
    f"{_SYSTEMS}::test_linear_thermostat_settles_and_its_misprint_does_not": [
        "dynamics.Map",
        "systems.linear_thermostat",
    ],
    f"{_SYSTEMS}::test_lorenz_equilibria": ["systems.lorenz", "systems.equilibria"],
    f"{_SYSTEMS}::test_linear_flow_is_the_matrix_exponential": ["systems.linear_flow"],
    f"{_SYSTEMS}::test_saturated_thermostat_cools_by_p_outside_the_band": [
        "systems.saturated_thermostat"
    ],
    f"{_SYSTEMS}::test_thermostats_share_the_room_but_not_the_thermostat": [
        "systems.dumb_thermostat",
        "systems.smart_thermostat",
    ],
    f"{_CAUSAL}::test_accumulation_is_the_sum_over_all_paths_one_by_one": [
        "causal.responses",
        "causal.sensitivities",
    ],
    f"{_CAUSAL}::test_no_result_depends_on_the_order_in_which_the_edges_came": ["causal.Network"],
    f"{_CAUSAL}::test_other_units_of_any_node_change_no_ratio": ["causal.comp"],
    f"{_CAUSAL}::test_unrolled_it_is_the_tangent_method": ["causal.op", "causal.unrolled"],
    "tests/influence/test_questions.py::test_names_are_unit_vectors": ["influence.op"],
    "tests/influence/test_questions.py::test_composition_of_disturbances_is_linear": [
        "influence.comp"
    ],
    f"{_INFLUENCE}::test_op_survives_where_comp_underflows": ["influence.slog_comp"],
    f"{_INFLUENCE}::test_linear_thermostat_closed_form": ["influence.linear_thermostat_comp"],
    f"{_INFLUENCE}::test_removed_width_is_twice_p_times_time": ["influence.removed_width"],
    f"{_INFLUENCE}::test_finite_difference_of_a_linear_system_does_not_depend_on_delta": [
        "influence.worlds.finite_difference_comp"
    ],
    f"{_INFLUENCE}::test_replayed_variable_is_that_of_w": ["influence.worlds.simulate"],
    f"{_INFLUENCE}::test_horizon_ignores_a_single_pole": ["influence.worlds.horizon"],
    f"{_LYAPUNOV}::test_change_of_units": ["lyapunov.spectrum"],
    f"{_LYAPUNOV}::test_kaplan_yorke_dimension": ["lyapunov.kaplan_yorke_dimension"],
    "tests/lyapunov/test_exponents.py::test_sum_of_conditional_exponents_is_exact": [
        "lyapunov.conditional_exponents"
    ],
    "tests/lyapunov/test_covariant.py::test_a_change_of_variables_goes_along": [
        "lyapunov.covariant_vectors"
    ],
    "tests/lyapunov/test_history.py::test_the_end_is_the_result": ["lyapunov.convergence"],
    "tests/influence/test_norm.py::test_one_pair_is_op": ["influence.op_norm"],
    "tests/influence/test_spectrum.py::test_sum_is_a_trace": ["influence.op_spectrum"],
    f"{_KERNEL}::test_chain_rule_in_both_orders": [
        "information.FiniteKernel",
        "information.created_entropy",
    ],
    f"{_KERNEL}::test_without_errors_the_kernel_is_the_map": ["information.kernel_of"],
    f"{_KERNEL}::test_total_correlation_adds_up": ["information.total_correlation"],
    f"{_FINITE}::test_adjusted_strength_is_a_difference_of_erased_entropies": [
        "information.adjusted_optimizing_strength",
        "information.erased_entropy",
    ],
    f"{_FINITE}::test_floats_and_fractions_agree": [
        "information.entropy",
        "information.optimizing_strength",
        "information.push_forward",
    ],
    f"{_FINITE}::test_half_and_its_next_term": ["information.narrow_start"],
    f"{_CONTINUOUS}::test_strengths_of_the_continuous_thermostat": [
        "information.differential_entropy.thermostat_entropies"
    ],
    f"{_CONTINUOUS}::test_matrix_is_the_jacobian_of_the_system": [
        "information.differential_entropy.thermostat_matrix"
    ],
    f"{_CONTINUOUS}::test_histogram_entropy_is_biased_by_empty_cells": [
        "information.differential_entropy.histogram_entropy"
    ],
    f"{_CONTINUOUS}::test_samples_have_the_closed_form_moments": [
        "information.differential_entropy.thermostat_samples"
    ],
    f"{_CONTINUOUS}::test_adjusted_log_variance_is_not_zero_for_other_measures": [
        "information.differential_entropy.log_variance_strength",
        "information.differential_entropy.log_spread",
    ],
    "tests/networks/test_reparameterization.py::"
    "test_shifting_start_and_function_shifts_the_path_in_x": ["networks.reparameterization.train"],
    "tests/networks/test_reparameterization.py::"
    "test_a_training_goes_on_from_any_state_with_the_same_numbers": [
        "networks.reparameterization.Training"
    ],
    "tests/networks/test_digit_images.py::test_inputs_lie_between_one_level_and_one": [
        "networks.digit_images.DigitImages.inputs"
    ],
    "tests/networks/test_digit_images.py::test_without_mnist_the_small_digits_come_with_a_notice": [
        "networks.digit_images.load_digit_images"
    ],
    f"{_IMAGES}::test_no_pixel_is_in_both_sets": [
        "networks.image_patches.photograph_patches",
        "networks.image_patches.for_testing",
    ],
    f"{_IMAGES}::test_photographs": ["networks.image_patches.load"],
}
