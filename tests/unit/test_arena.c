/* SPDX-License-Identifier: MIT */
#include "dq/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#if defined __SANITIZE_ADDRESS__
#define POISONED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif

#ifdef POISONED
#include <sanitizer/asan_interface.h>
#else
#define POISONED                         0
#define __asan_address_is_poisoned(at)   ((void)(at), 0)
#define __asan_region_is_poisoned(at, n) ((void)(at), (void)(n), NULL)
#endif

static const size_t sizes[] = {0, 1, 8, 13, 16, 63, 64, 100, 4096, 16 << 10, 40 << 10};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Every byte of a piece may be written, and where the sanitizer watches, none after it. */
static void check_piece(char *p, size_t n)
{
    assert_int_equal((uintptr_t)p % (n >= 64 ? 64 : 16), 0);
    assert_null(__asan_region_is_poisoned(p, n));
    memset(p, 1, n);
    for (size_t i = 0; i < 64; i++) assert_int_equal(__asan_address_is_poisoned(p + n + i), POISONED);
}

static void pieces_are_whole_and_aligned_and_nothing_lies_beside_them(void **state)
{
    (void)state;
    dq_arena arena = DQ_ARENA_EMPTY;
    char *piece[SIZES];
    for (int life = 0; life < 2; life++) { /* an arena that was freed is as good as new */
        size_t used = 0;
        for (size_t i = 0; i < SIZES; used += sizes[i++]) {
            piece[i] = dq_arena_take(&arena, sizes[i]);
            assert_non_null(piece[i]);
        }
        for (size_t i = 0; i < SIZES; i++) check_piece(piece[i], sizes[i]);
        assert_int_equal(arena.used, used);
        const char *text = dq_arena_text(&arena, "word", 3);
        assert_string_equal(text, "wor");
        assert_int_equal(__asan_address_is_poisoned(text + 4), POISONED);
        const char *zeros = dq_arena_zero(&arena, 5, 3);
        for (int i = 0; i < 15; i++) assert_int_equal(zeros[i], 0);
        assert_int_equal(__asan_address_is_poisoned(zeros + 15), POISONED);
        char *large = dq_arena_zero(&arena, 3, (size_t)1 << 20);
        for (size_t i = 0; i < (size_t)3 << 20; i++) assert_int_equal(large[i], 0);
        check_piece(large, (size_t)3 << 20);
        assert_null(dq_arena_zero(&arena, SIZE_MAX / 2, 3));
        assert_null(dq_arena_zero(&arena, SIZE_MAX / 2, 2));
        assert_null(dq_arena_take(&arena, SIZE_MAX - 8));
        dq_arena_free(&arena);
        assert_null(arena.blocks);
    }
}

#if !POISONED
static void without_a_sanitizer_pieces_lie_close(void **state)
{
    (void)state;
    dq_arena arena = DQ_ARENA_EMPTY;
    char *p = dq_arena_take(&arena, 10);
    assert_ptr_equal(dq_arena_take(&arena, 3), p + 16);
    assert_ptr_equal(dq_arena_take(&arena, 64), p + 64);
    dq_arena_free(&arena);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_whole_and_aligned_and_nothing_lies_beside_them),
#if !POISONED
        cmocka_unit_test(without_a_sanitizer_pieces_lie_close),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
